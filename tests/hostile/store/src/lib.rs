//! A store that misbehaves as it is told to: by the content of the file that it reads, or the text that it writes.
#![cfg(target_family = "wasm")]

mod script;

use autotel_store_sdk::{
    Description, Encoder, Fault, Format, Options, Output, Parse, Print, Progress, Source, Store, Token,
};

struct Hostile;

impl Store for Hostile {
    type Parser = Parser;
    type Printer = Printer;

    fn describe() -> Description {
        // It claims what is another's, too.
        let format = Format::new("Hostile", "none").extension("hostile").extension("json").begins_with("hostile:");
        // It says another thing each time that it is asked.
        let summary = format!("misbehaves \u{1b}[31mas it is told to {}", wasip2::random::random::get_random_u64());
        Description::new("hostile-store", env!("CARGO_PKG_VERSION"), &summary).format(format)
    }
}

struct Parser(Source);

impl Parse for Parser {
    fn open(source: Source, _: &Options) -> Result<Self, Fault> {
        Ok(Self(source))
    }

    fn parse(&mut self, to: &mut Encoder, _: usize) -> Result<Progress, Fault> {
        let content = String::from_utf8_lossy(self.0.read_all()?).into_owned();
        match content.strip_prefix("hostile:") {
            Some("look around") => to.text(&look_around()),
            Some(script) if script.starts_with("script\n") => to.text(&script::run(script)),
            Some("escape") => return Err(Fault::syntax("\u{1b}]0;title\u{7}\r\nfile:1:1: all is well", 3)),
            Some("lie about the place") => return Err(Fault::syntax("far away", u64::MAX)),
            Some("long message") => return Err(Fault::syntax("x\n".repeat(1 << 20), 0)),
            Some(behaviour) if misbehave(behaviour) => to.text("survived"),
            Some(_) => return Err(Fault::syntax("no behaviour is called so", 0)),
            None => return Err(Fault::syntax("expected `hostile:`", 0)),
        }
        Ok(Progress::Done)
    }
}

struct Printer;

impl Print for Printer {
    fn new(_: &Options) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn print(&mut self, token: Token<'_>, to: &mut Output) -> Result<(), Fault> {
        if let Token::Text(text) = token {
            to.push_str(text);
            // Any other text is one to be written.
            let _ = misbehave(text);
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Output) -> Result<(), Fault> {
        Ok(())
    }
}

/// Misbehaves as it is told to, if it knows how.
fn misbehave(behaviour: &str) -> bool {
    match behaviour {
        "trap" => std::process::abort(),
        "exit" => std::process::exit(0),
        "connect" => drop(std::net::TcpStream::connect(("127.0.0.1", 1))),
        "complain" => {
            eprintln!("last \u{1b}[31mwords");
            std::process::abort();
        }
        "loop" => loop {
            std::hint::spin_loop();
        },
        "sleep" => std::thread::sleep(std::time::Duration::from_secs(3600)),
        "poll" => loop {
            wasip2::clocks::monotonic_clock::subscribe_duration(0).block();
        },
        "subscribe" => {
            let subscribe = |_| wasip2::clocks::monotonic_clock::subscribe_duration(1 << 60);
            let pollables: Vec<_> = (0..100_000).map(subscribe).collect();
            drop(pollables);
        }
        "wait for input" => drop(std::io::stdin().lines().count()),
        "random" => drop(wasip2::random::random::get_random_bytes(u64::MAX)),
        "insecure random" => drop(wasip2::random::insecure::get_insecure_random_bytes(1 << 40)),
        "grow" => {
            let mut kept = Vec::new();
            loop {
                kept.push(vec![1u8; 1 << 20]);
            }
        }
        "shout" => (0..1_000_000).for_each(|_| println!("{}", "x".repeat(10_000))),
        "shout and trap" => {
            (0..250).for_each(|_| eprintln!("{}", "\u{1b}[2J".repeat(10_000)));
            std::process::abort();
        }
        _ => return false,
    }
    true
}

/// What can be seen of the world beside the file: nothing, or this says what.
fn look_around() -> String {
    let paths = ["/", "/store", "/store/secret", "/store/..", "..", ".", "/etc/passwd", "/proc/self/environ", "/tmp"];
    let mut seen = Vec::new();
    for path in paths {
        if std::fs::read(path).is_ok() || std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
            seen.push(format!("read {path}"));
        }
        if std::fs::write(format!("{path}/planted"), "x").is_ok() || std::fs::create_dir(format!("{path}/made")).is_ok()
        {
            seen.push(format!("wrote in {path}"));
        }
    }
    seen.extend(std::env::vars().map(|(name, _)| format!("variable {name}")));
    seen.extend(std::env::args().map(|argument| format!("argument {argument}")));
    seen.join(", ")
}

autotel_store_sdk::export!(Hostile);
