//! Commands, what they print and how they end. Each file holds one; `TRYCMD=overwrite` writes them anew.

#[test]
fn commands_print_what_their_files_say() {
    trycmd::TestCases::new()
        // The folder for compiled code, for this suite alone.
        .env("XDG_CACHE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
        .register_bin("autotel", trycmd::cargo::cargo_bin("autotel"))
        .case("../tests/command_line/*.toml");
}
