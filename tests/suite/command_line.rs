//! Commands, what they print and how they end. Each file holds one; `TRYCMD=overwrite` writes them anew.

#[test]
fn commands_print_what_their_files_say() {
    trycmd::TestCases::new()
        .register_bin("autotel", trycmd::cargo::cargo_bin("autotel"))
        .case("../tests/command_line/*.toml");
}
