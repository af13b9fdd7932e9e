//! Where components are compiled. A component can make a compiler take any time and any memory, so that a third party's
//! is compiled in a process of its own, which can be ended.

use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::component::{causes, no_store};
use crate::engine::{Mode, engine};
use crate::error::{Error, ErrorKind};
use crate::limits::{Limit, Limits};
use crate::watchdog::Watchdog;
use crate::words::printable;

/// Where a host compiles the components that its cache does not know.
///
/// ```
/// use autotel_stores::{Compiler, ErrorKind, Host};
///
/// # let plugins = tempfile::tempdir()?;
/// # std::fs::write(plugins.path().join("mine.wasm"), Host::new()?.built_in_component("json-store").unwrap())?;
/// let builder = Host::builder().store_folder(plugins.path()).replace("json-store");
/// assert_eq!(builder.build().err().unwrap().kind(), ErrorKind::Usage, "nobody said where to compile it");
/// let host = builder.compiler(Compiler::InProcess).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compiler {
    /// The built-in stores in this process, and a third party's nowhere: [`HostBuilder::build`](crate::HostBuilder::build)
    /// fails where one has to be compiled.
    #[default]
    BuiltInOnly,
    /// A third party's in another process, which runs this program, bounded by [`Limit::CompileTime`] and
    /// [`Limit::CompileMemory`]: see [`Compiler::program`]. The built-in stores in this process.
    Program { program: PathBuf, arguments: Vec<OsString> },
    /// All of them in this process, whatever time and memory that takes: for components that are trusted so far.
    InProcess,
    /// None, the built-in stores neither: what a host runs was compiled before, as `autotel compile` does.
    Never,
}

/// The argument with which `autotel` is such a program.
pub const COMPILE_FOR_HOST: &str = "compile-for-host";

impl Compiler {
    /// Compiles with the command line, `autotel`, of this version. A program of your own may take its place, which calls
    /// [`compile_for_host`] and does nothing else: see [`Compiler::Program`].
    pub fn program(autotel: impl Into<PathBuf>) -> Self {
        Self::Program { program: autotel.into(), arguments: vec![COMPILE_FOR_HOST.into()] }
    }

    pub(crate) fn compile(
        &self,
        wasm: &[u8],
        is_built_in: bool,
        watchdog: &Watchdog,
        limits: &Limits,
    ) -> Result<Component, Error> {
        match self {
            Self::Program { program, arguments } if !is_built_in => {
                let code = compile_elsewhere(Command::new(program).args(arguments), wasm, watchdog, limits)?;
                // SAFETY: the caller says that this program compiles, and what it was given is what was checked here.
                #[expect(unsafe_code, reason = "the compiler's process gives code, as the compiler in this one would")]
                let component = unsafe { Component::deserialize(&watchdog.engine, code) };
                component.map_err(|error| Error::usage(format!("{} is another compiler: {error}", program.display())))
            }
            Self::InProcess => compile(&watchdog.engine, wasm).map_err(no_store),
            Self::Program { .. } | Self::BuiltInOnly if is_built_in => {
                compile(&watchdog.engine, wasm).map_err(no_store)
            }
            Self::Never => Err(Error::usage("it is not compiled yet, and this host compiles nothing")
                .with_hint("compile it first: autotel compile --stores FOLDER --cache-folder FOLDER")),
            Self::Program { .. } | Self::BuiltInOnly => Err(Error::usage(
                "it has to be compiled, and nothing says where",
            )
            .with_hint("HostBuilder::compiler takes a program that does it apart, or leave to do it in this process")),
        }
    }
}

fn compile(engine: &Engine, wasm: &[u8]) -> Result<Component, String> {
    Component::from_binary(engine, wasm).map_err(|error| causes(&error))
}

/// What a host asks of the compiler's process, on a line before the component.
#[derive(Serialize, Deserialize)]
struct Request {
    mode: Mode,
    memory_bytes: u64,
    /// In case that nobody is there any more to end the process.
    cpu_seconds: u64,
}

/// What an uncompilable component ends the compiler's process with.
const STATUS_REFUSED: u8 = 1;
/// What a lack of memory that the compiler survives ends it with.
const STATUS_NO_MEMORY: u8 = 3;
/// Bytes of compiled code, and of what is said about failing to make it, that are taken.
const CODE_BYTES_MAX: u64 = 1 << 30;
const WORDS_BYTES_MAX: u64 = 16 << 10;

fn compile_elsewhere(
    command: &mut Command,
    wasm: &[u8],
    watchdog: &Watchdog,
    limits: &Limits,
) -> Result<Vec<u8>, Error> {
    let time = limits.time(Limit::CompileTime);
    let reached = |limit| Err(Error::limit(limit, limits));
    let request = Request {
        mode: watchdog.mode,
        memory_bytes: limits.get(Limit::CompileMemory),
        // All cores may be at work.
        cpu_seconds: time.as_secs().saturating_mul(thread::available_parallelism().map_or(1, usize::from) as u64) + 1,
    };
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(no_program)?;
    let answer = answer(&mut child, request, wasm).recv_timeout(time);
    // It has answered or is late, and in neither case anything left to do.
    let _ = if answer.is_err() { child.kill() } else { Ok(()) };
    let status = child.wait().map_err(no_program)?;
    let Ok(answer) = answer else { return reached(Limit::CompileTime) };
    let (code, words) = answer.map_err(no_program)?;
    match status.code() {
        Some(0) if !code.is_empty() => Ok(code),
        Some(status) if status == i32::from(STATUS_REFUSED) => Err(no_store(words)),
        Some(status) if status == i32::from(STATUS_NO_MEMORY) => reached(Limit::CompileMemory),
        // An allocation that fails ends the process.
        None if words.contains("memory allocation of") => reached(Limit::CompileMemory),
        None if is_out_of_time(status) => reached(Limit::CompileTime),
        _ => Err(Error::new(ErrorKind::Store, format!("compiling it ended the compiler: {status} {words}"))),
    }
}

fn no_program(error: io::Error) -> Error {
    Error::new(ErrorKind::Access, format!("the compiler's program does not run: {error}")).because(error)
}

/// Whether the system ended a process that had used all of its time.
#[cfg(unix)]
fn is_out_of_time(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
}

#[cfg(not(unix))]
fn is_out_of_time(_: ExitStatus) -> bool {
    false
}

/// Sends what is to be compiled, and gathers what comes of it.
fn answer(child: &mut Child, request: Request, wasm: &[u8]) -> Receiver<io::Result<(Vec<u8>, String)>> {
    let (sender, answer) = channel();
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let wasm = wasm.to_vec();
    let talk = move || {
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        // A process that ends early says why.
        let _ = serde_json::to_vec(&request)
            .map_err(io::Error::from)
            .and_then(|request| stdin.write_all(&request))
            .and_then(|()| stdin.write_all(b"\n"))
            .and_then(|()| stdin.write_all(&wasm));
        drop((stdin, wasm));
        let words = thread::spawn(move || {
            let mut words = Vec::new();
            let _ = stderr.take(WORDS_BYTES_MAX).read_to_end(&mut words);
            printable(String::from_utf8_lossy(&words).trim())
        });
        let mut code = Vec::new();
        stdout.take(CODE_BYTES_MAX).read_to_end(&mut code)?;
        Ok((code, words.join().unwrap_or_default()))
    };
    thread::spawn(move || sender.send(talk()));
    answer
}

/// Compiles the component that a host in another process sends to standard input, and answers on standard output: all
/// that a program does that is named in [`Compiler::Program`].
pub fn compile_for_host() -> ExitCode {
    match serve(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("{words}");
            // What the operating system says, and the engine, where there is no more memory to give.
            let has_memory = !["(os error 12)", "out of memory"].iter().any(|said| words.contains(said));
            ExitCode::from(if has_memory { STATUS_REFUSED } else { STATUS_NO_MEMORY })
        }
    }
}

fn serve(mut input: impl BufRead, mut output: impl Write) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    let mut request = String::new();
    input.by_ref().take(WORDS_BYTES_MAX).read_line(&mut request).map_err(told)?;
    let request: Request = serde_json::from_str(&request).map_err(|error| error.to_string())?;
    limit_this_process(&request).map_err(told)?;
    let mut wasm = Vec::new();
    input.read_to_end(&mut wasm).map_err(told)?;
    let engine = engine(request.mode).map_err(|error| error.to_string())?;
    let component = compile(&engine, &wasm)?;
    let code = component.serialize().map_err(|error| error.to_string())?;
    output.write_all(&code).and_then(|()| output.flush()).map_err(told)
}

/// Has the operating system bound this process. Where it cannot bound memory, it bounds time.
#[cfg(unix)]
fn limit_this_process(request: &Request) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let lower = |resource, value: u64| {
        let value = getrlimit(resource).maximum.map_or(value, |maximum| maximum.min(value));
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
    };
    // Nobody waits for what it makes once the host is gone.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    lower(Resource::Core, 0)?;
    lower(Resource::Cpu, request.cpu_seconds)?;
    let memory = lower(Resource::As, request.memory_bytes);
    if cfg!(target_os = "linux") { Ok(memory?) } else { Ok(()) }
}

#[cfg(not(unix))]
fn limit_this_process(_: &Request) -> io::Result<()> {
    Ok(())
}
