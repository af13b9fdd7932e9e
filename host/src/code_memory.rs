//! Memory for compiled code that was kept. On Linux it is of large pages where the system has them, and the code runs
//! where it was read to: making small pages of it, and another copy, would take most of the time that loading takes.
//! Other processors than x86-64 have to be told of new code, which is the engine's to know.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) use large::{CodeMemory, run_where_it_lies};
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub(crate) use small::{CodeMemory, run_where_it_lies};

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[expect(unsafe_code, reason = "memory is asked of the system, and given to code")]
mod large {
    use std::ffi::c_void;
    use std::io;
    use std::ptr::{self, NonNull};
    use std::sync::Arc;

    use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags, madvise, mmap_anonymous, mprotect, munmap};
    use wasmtime::component::Component;
    use wasmtime::{Config, CustomCodeMemory, Engine};

    const LARGE_PAGE_BYTES: usize = 2 << 20;
    /// Bytes of code below which a large page is mostly wasted.
    const LARGE_CODE_BYTES: usize = LARGE_PAGE_BYTES / 2;
    /// What code is aligned to; pages are at least as large.
    const PAGE_BYTES: usize = 4096;

    /// Compiled code that nobody can change any more.
    pub(crate) struct CodeMemory {
        mapping: *mut c_void,
        mapping_bytes: usize,
        code: NonNull<[u8]>,
    }

    // SAFETY: nothing writes to the memory once it is made, and unmapping it is every thread's to do.
    unsafe impl Send for CodeMemory {}
    // SAFETY: the same.
    unsafe impl Sync for CodeMemory {}

    impl CodeMemory {
        /// Memory for so many bytes of code, which `fill` puts there.
        pub fn filled(bytes: usize, fill: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Self> {
            let rounded = bytes.next_multiple_of(LARGE_PAGE_BYTES);
            let mapping_bytes = rounded + LARGE_PAGE_BYTES;
            let access = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: the system chooses the place, so that nothing else is there.
            let mapping = unsafe { mmap_anonymous(ptr::null_mut(), mapping_bytes, access, MapFlags::PRIVATE) }?;
            let start = mapping.cast::<u8>().wrapping_add(mapping.cast::<u8>().align_offset(LARGE_PAGE_BYTES));
            let code = NonNull::new(ptr::slice_from_raw_parts_mut(start, bytes)).ok_or(io::ErrorKind::OutOfMemory)?;
            let memory = Self { mapping, mapping_bytes, code };
            if bytes >= LARGE_CODE_BYTES {
                // SAFETY: it is within the mapping. A system without large pages does without.
                let _ = unsafe { madvise(start.cast(), rounded, Advice::LinuxHugepage) };
            }
            // SAFETY: it is within the mapping, zeroed, and known to nobody else.
            fill(unsafe { &mut *code.as_ptr() })?;
            // SAFETY: the only reference that writes to it is gone.
            unsafe { mprotect(mapping, mapping_bytes, MprotectFlags::READ) }?;
            Ok(memory)
        }

        /// The code as a component of an engine that runs code where it lies.
        ///
        /// # Safety
        ///
        /// The code is what an engine of this configuration compiled. The memory outlives the component, its instances,
        /// and the errors of both, which hold on to it.
        pub unsafe fn component(&self, engine: &Engine) -> wasmtime::Result<Component> {
            // SAFETY: as the caller says; nothing changes the memory.
            unsafe { Component::deserialize_raw(engine, self.code) }
        }

        #[cfg(test)]
        pub fn bytes(&self) -> &[u8] {
            // SAFETY: it was filled, and nothing changes it.
            unsafe { self.code.as_ref() }
        }
    }

    impl Drop for CodeMemory {
        fn drop(&mut self) {
            // SAFETY: it is this mapping, and whoever made a component of it has dropped that before.
            let _ = unsafe { munmap(self.mapping, self.mapping_bytes) };
        }
    }

    /// Has an engine run code in memory that is not its own.
    pub(crate) fn run_where_it_lies(config: &mut Config) {
        config.with_custom_code_memory(Some(Arc::new(Executable)));
    }

    /// Makes code executable, which the engine has made read-only before where the memory is its own.
    struct Executable;

    impl CustomCodeMemory for Executable {
        fn required_alignment(&self) -> usize {
            PAGE_BYTES
        }

        fn publish_executable(&self, start: *const u8, bytes: usize) -> wasmtime::Result<()> {
            let access = MprotectFlags::READ | MprotectFlags::EXEC;
            // SAFETY: the engine gives the whole pages of a component's code. The processor sees by itself that it is new.
            unsafe { mprotect(start.cast_mut().cast(), bytes, access) }?;
            Ok(())
        }

        /// The memory goes with the code, and needs no other access until then.
        fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
            Ok(())
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod small {
    use std::io;

    use wasmtime::component::Component;
    use wasmtime::{Config, Engine};

    /// Compiled code, which each engine copies.
    pub(crate) struct CodeMemory(Vec<u8>);

    impl CodeMemory {
        /// Memory for so many bytes of code, which `fill` puts there.
        pub fn filled(bytes: usize, fill: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Self> {
            let mut code = vec![0; bytes];
            fill(&mut code)?;
            Ok(Self(code))
        }

        /// The code as a component.
        ///
        /// # Safety
        ///
        /// The code is what an engine of this configuration compiled.
        #[expect(unsafe_code, reason = "compiled code is loaded")]
        pub unsafe fn component(&self, engine: &Engine) -> wasmtime::Result<Component> {
            // SAFETY: as the caller says.
            unsafe { Component::deserialize(engine, &self.0) }
        }

        #[cfg(test)]
        pub fn bytes(&self) -> &[u8] {
            &self.0
        }
    }

    /// Does nothing: engines copy code here.
    pub(crate) fn run_where_it_lies(_: &mut Config) {}
}
