;; A whole store in little: each `{part}` is where an attack puts code of its own, in place of what does no harm.
;; It keeps its description at 1024, what a call answers at 2048, and nothing behind 4096.
(module
  (import "[export]autotel:stores/store@0.1.0" "[resource-new]reader" (func $new-reader (param i32) (result i32)))
  (memory (export "memory") {pages})
  {declarations}
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    {realloc} i32.const 4096)

  (func (export "autotel:stores/store@0.1.0#describe") (result i32) {describe} i32.const 1024)
  (func (export "autotel:stores/store@0.1.0#load") (param i32 i32 i32 i32) (result i32) {load} i32.const 2048)
  (func (export "cabi_post_autotel:stores/store@0.1.0#load") (param i32) {post-load})
  (func (export "autotel:stores/store@0.1.0#save") (param i32 i32 i32 i32 i32 i32) (result i32) i32.const 2048)
  (func (export "autotel:stores/store@0.1.0#validate") (param i32 i32 i32 i32) (result i32) {validate} i32.const 2048)

  (func (export "autotel:stores/store@0.1.0#[static]reader.open") (param i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 2048) (i32.const 0))
    (i32.store (i32.const 2056) (call $new-reader (i32.const 7)))
    i32.const 2048)
  (func (export "autotel:stores/store@0.1.0#[method]reader.next") (param i32 i32) (result i32) {next} i32.const 2048)
  (func (export "autotel:stores/store@0.1.0#[dtor]reader") (param i32) {drop-reader})
  (func (export "autotel:stores/store@0.1.0#[static]writer.create") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "autotel:stores/store@0.1.0#[method]writer.write") (param i32 i32 i32) (result i32) unreachable)
  (func (export "autotel:stores/store@0.1.0#[method]writer.finish") (param i32) (result i32) unreachable)

  (data (i32.const 1024) "{description}"))
