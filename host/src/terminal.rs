//! What is written to the terminal: data on standard output, talk on standard error, colours only for people.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use autotel_stores::{
    Compilation, CompilationPhase, Error, ErrorKind, Limit, Loss, Position, Problem, Receipt, Verdict, printable,
};
use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Words that stand out.
pub fn styled(style: Style, words: impl std::fmt::Display) -> String {
    format!("{style}{words}{style:#}")
}

/// How far something can be trusted, in a colour that says so.
pub fn verdict(verdict: Verdict) -> String {
    let style = match verdict {
        Verdict::Data | Verdict::Known => GOOD,
        Verdict::Instance | Verdict::Unknown => NOTE,
        Verdict::Dangerous => ERROR,
    };
    styled(style, verdict.name())
}

/// A file's name, without what would move a terminal's cursor.
pub fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

/// Prints text, without its colours where nobody sees them.
pub fn print(text: &str) -> Result<ExitCode, Error> {
    printed(anstream::stdout().write_all(text.as_bytes()))
}

pub fn print_json(value: &Value) -> Result<ExitCode, Error> {
    print(&format!("{value:#}\n"))
}

/// Rows below their headings, aligned; the first column stands out.
pub fn table<const COLUMNS: usize>(headings: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].len()]).max().unwrap_or_default()
    };
    let line = |row: &[String; COLUMNS], style: &dyn Fn(usize, &str) -> String| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            // What follows is aligned by what is seen, not by its codes.
            let space = " ".repeat(width(column) - cell.chars().count());
            format!("{}{space}", style(column, cell))
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let heading = line(&headings.map(str::to_owned), &|_, cell| styled(DIM, cell));
    let name = |column, cell: &str| if column == 0 { styled(BOLD, cell) } else { cell.to_owned() };
    rows.iter().fold(heading, |table, row| table + &line(row, &name))
}

/// A reader that has seen enough, such as `head`, is no failure.
pub fn printed(result: io::Result<()>) -> Result<ExitCode, Error> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritable(error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// The status of a bug, in place of what a panic ends with.
pub const BUG: u8 = 255;

/// The exit status of a command that failed.
pub fn status(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Refused => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Store | ErrorKind::Limit => 3,
        ErrorKind::Access | ErrorKind::Conflict => 4,
        _ => BUG,
    }
}

pub fn unwritable(error: io::Error) -> Error {
    Error::new(ErrorKind::Access, error.to_string())
}

/// Tells what a format could not hold: to people each kind of it once, with the first place.
pub fn tell_losses(losses: &[Loss], as_json: bool) {
    if as_json {
        return losses.iter().for_each(|loss| tell(&json!({"loss": loss_json(loss)}).to_string()));
    }
    let mut kinds: Vec<(&Loss, usize)> = Vec::new();
    for loss in losses {
        match kinds.iter_mut().find(|(first, _)| (&first.what, &first.why) == (&loss.what, &loss.why)) {
            Some((_, count)) => *count += 1,
            None => kinds.push((loss, 1)),
        }
    }
    for (Loss { pointer, what, why }, count) in kinds {
        let place = if pointer.is_empty() { "the document" } else { pointer };
        let more = if count > 1 { format!(", and {} more", count - 1) } else { String::new() };
        tell_note(&format!("{place}{more}: {what}: {why}"));
    }
}

pub fn tell_error(error: &Error, as_json: bool) {
    if as_json {
        return tell(&json!({"error": error_json(error)}).to_string());
    }
    for line in error.to_string().lines() {
        tell(&format!("{}: {line}", styled(ERROR, "error")));
    }
    for line in error.store_output() {
        tell_note(&format!("the store said: {line}"));
    }
    if let Some(hint) = error.hint() {
        tell(&format!("{}: {hint}", styled(HINT, "hint")));
    }
}

/// Tells what each call cost.
pub fn tell_receipt(as_json: bool) -> impl Fn(&Receipt) + Send + Sync + 'static {
    move |receipt| {
        if as_json {
            tell(&json!({"receipt": receipt_json(receipt)}).to_string());
        } else {
            tell(&format!("{}: {}", styled(HINT, "receipt"), receipt_line(receipt)));
        }
    }
}

fn receipt_line(receipt: &Receipt) -> String {
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    let mut line = format!(
        "{} {} {}: {}, {} of them in the store and {} for its instance; {} of memory, {} read, {} written; {} of files, {} of the store, {} of the host, {}",
        receipt.store,
        receipt.operation,
        shown(&receipt.path),
        ms(receipt.wall_time),
        ms(receipt.store_time.saturating_sub(receipt.host_time)),
        ms(receipt.instance_time),
        HumanBytes(receipt.memory_bytes),
        HumanBytes(receipt.read_bytes),
        HumanBytes(receipt.written_bytes),
        counted(receipt.opens, "opening"),
        counted(receipt.calls, "call"),
        counted(receipt.host_calls, "call"),
        counted(receipt.pages, "page"),
    );
    if receipt.log_bytes_cut > 0 {
        line += &format!("; {} of its log were cut", HumanBytes(receipt.log_bytes_cut));
    }
    for limit in &receipt.limits {
        line += &format!("; reached the limit `{}`", limit.name());
    }
    line += if receipt.is_code_cached { "; its code from the cache" } else { "; its code compiled" };
    format!("{line}; granted {}", printable(&receipt.grants.join("; ")))
}

fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

fn receipt_json(receipt: &Receipt) -> Value {
    json!({
        "store": receipt.store,
        "operation": receipt.operation,
        "path": receipt.path.to_string_lossy(),
        "wall-ms": receipt.wall_time.as_secs_f64() * 1000.0,
        "instance-ms": receipt.instance_time.as_secs_f64() * 1000.0,
        "store-ms": receipt.store_time.as_secs_f64() * 1000.0,
        "host-ms": receipt.host_time.as_secs_f64() * 1000.0,
        "memory-bytes": receipt.memory_bytes,
        "read-bytes": receipt.read_bytes,
        "written-bytes": receipt.written_bytes,
        "opens": receipt.opens,
        "calls": receipt.calls,
        "pages": receipt.pages,
        "host-calls": receipt.host_calls,
        "grants": receipt.grants,
        "log-bytes": receipt.log_bytes,
        "log-bytes-cut": receipt.log_bytes_cut,
        "limits": receipt.limits.iter().map(|limit| limit.name()).collect::<Vec<_>>(),
        "code-cached": receipt.is_code_cached,
    })
}

pub fn tell_note(note: &str) {
    tell(&format!("{}: {note}", styled(NOTE, "note")));
}

fn tell(line: &str) {
    // There is nobody to tell where standard error is closed.
    let _ = writeln!(anstream::stderr(), "{line}");
}

pub fn loss_json(Loss { pointer, what, why }: &Loss) -> Value {
    json!({"pointer": pointer, "what": what, "why": why})
}

pub fn error_json(error: &Error) -> Value {
    json!({
        "kind": error.kind().name(),
        "limit": error.limit_reached().map(Limit::name),
        "path": error.path().map(Path::to_string_lossy),
        "message": error.message(),
        "problems": error.problems().iter().map(problem_json).collect::<Vec<_>>(),
        "hint": error.hint(),
        "store-output": error.store_output(),
    })
}

pub fn problem_json(problem: &Problem) -> Value {
    json!({"message": problem.message, "at": problem.at.map(position_json)})
}

pub fn position_json(at: Position) -> Value {
    match at.line_and_column() {
        Some((line, column)) => json!({"offset": at.offset, "line": line, "column": column}),
        None => json!({"offset": at.offset}),
    }
}

/// Tells which components are being compiled and, on a terminal, for how long.
pub fn tell_compilation() -> impl Fn(&Compilation) + Send + Sync + 'static {
    // Components of a megabyte take a second to compile. Who looks at a file of what was said wants to know of those
    // that take several.
    const SHOWN_BYTES_MIN: u64 = 1 << 20;
    const NOTED_BYTES_MIN: u64 = 8 << 20;
    let bars = MultiProgress::new();
    let shown: Mutex<Vec<(Compilation, ProgressBar)>> = Mutex::default();
    move |compilation| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        let Compilation { component, bytes, phase, .. } = compilation;
        if *phase == CompilationPhase::Ended {
            let ended = shown.iter().position(|(begun, _)| begun.component == *component && begun.bytes == *bytes);
            ended.map(|place| shown.remove(place).1).inspect(ProgressBar::finish_and_clear);
        } else if !io::stderr().is_terminal() {
            if *bytes > NOTED_BYTES_MIN {
                tell_note(&format!("compiling {component} ({}), once", HumanBytes(*bytes)));
            }
        } else if *bytes > SHOWN_BYTES_MIN {
            let style = ProgressStyle::with_template("{spinner} {msg}, {elapsed}");
            let size = HumanBytes(*bytes);
            let bar = bars
                .add(ProgressBar::new_spinner())
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.set_message(format!("compiling {component} ({size}), once"));
            bar.enable_steady_tick(Duration::from_millis(100));
            shown.push((compilation.clone(), bar));
        }
    }
}

/// A bar for work that takes a while, on a terminal.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    total: u64,
    template: &'static str,
}

/// Work that is shorter needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

impl Progress {
    pub fn of_bytes(total: u64) -> Self {
        Self::new(total, "{bar:40} {bytes} of {total_bytes}, {eta} left")
    }

    pub fn of_files() -> Self {
        Self::new(0, "{bar:40} {pos} of {len} files, {eta} left")
    }

    fn new(total: u64, template: &'static str) -> Self {
        Self { bar: ProgressBar::hidden(), started: Instant::now(), total, template }
    }

    /// Says how much there is, where that was not known.
    pub fn set_total(&mut self, total: u64) {
        self.total = total;
    }

    pub fn reached(&mut self, done: u64) {
        if self.bar.is_hidden() && self.started.elapsed() > PATIENCE {
            // Draws only where standard error is a terminal.
            self.bar = ProgressBar::new(self.total)
                .with_style(
                    ProgressStyle::with_template(self.template).unwrap_or_else(|_| ProgressStyle::default_bar()),
                )
                .with_elapsed(self.started.elapsed());
        }
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
