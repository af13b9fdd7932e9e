//! The one error of the library, which keeps apart what a caller treats apart.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::contract::{Bound, Loss, Problem, Refusal};
use crate::limits::{Limit, Limits};
use crate::words::{place, printable, printable_problem};

/// Who is to act on an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The data is not what it should be: mend the file, or what is asked of it.
    Refused,
    /// The call was wrong: a store, an option or an operation that does not exist.
    Usage,
    /// The store broke its contract, trapped, or is no store: report it to its author.
    Store,
    /// A limit was reached: raise it, or refuse the file.
    Limit,
    /// The file is missing, is none, or may not be touched.
    Access,
    /// Another process or call is writing to the file: try again later.
    Conflict,
    /// A bug in this library.
    Internal,
}

/// Why a call failed. The file of a save that failed is as it was; what else may have changed stands at
/// [`Grants::with_dataset`](crate::Grants::with_dataset) and [`Transaction::commit`](crate::Transaction::commit).
///
/// ```
/// use autotel_stores::{ErrorKind, Host};
///
/// let error = Host::new()?.open("no/such/file.json")?.load_value().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Access);
/// assert!(error.to_string().starts_with("no/such/file.json: "));
/// # Ok::<(), autotel_stores::Error>(())
/// ```
#[derive(Debug)]
pub struct Error(Box<Parts>);

/// What an error says, apart from it so that a result is small.
#[derive(Debug)]
struct Parts {
    kind: ErrorKind,
    path: Option<PathBuf>,
    message: String,
    problems: Vec<Problem>,
    hint: Option<String>,
    store_output: Vec<String>,
    limit: Option<Limit>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ErrorKind {
    /// What machines call it: a word in lowercase.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Usage => "usage",
            Self::Store => "store",
            Self::Limit => "limit",
            Self::Access => "access",
            Self::Conflict => "conflict",
            Self::Internal => "internal",
        }
    }
}

impl Error {
    /// Who is to act on it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong, without the file and the problems in it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The file that the call was about.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// What is wrong with the file, where [`Error::kind`] is [`ErrorKind::Refused`] and the store could say.
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// What may be done about it, in a sentence of its own.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Which limit was reached, where [`Error::kind`] is [`ErrorKind::Limit`].
    pub fn limit_reached(&self) -> Option<Limit> {
        self.0.limit
    }

    /// The last lines that the store wrote to its standard error, where [`Error::kind`] is [`ErrorKind::Store`].
    pub fn store_output(&self) -> &[String] {
        &self.0.store_output
    }

    /// An error of this kind, with a lowercase fragment that says what went wrong.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            path: None,
            message: message.into(),
            problems: Vec::new(),
            hint: None,
            store_output: Vec::new(),
            limit: None,
            source: None,
        }))
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// What the operating system said of a file.
    pub fn access(path: &Path, error: io::Error) -> Self {
        Self::new(ErrorKind::Access, error.to_string()).on(path).because(error)
    }

    pub(crate) fn limit(limit: Limit, limits: &Limits) -> Self {
        let (name, value) = (limit.name(), limit.unit().show(limits.get(limit)));
        let mut error = Self::new(ErrorKind::Limit, format!("the limit `{name}` of {value} was reached"));
        error.0.limit = Some(limit);
        if limit == Limit::Depth && limits.get(limit) >= limit.default_value() {
            return error.with_hint("nothing follows documents further down than that");
        }
        error.with_hint(format!(
            "raise it where the file and the store are trusted with more: --{name}, or Limits::with"
        ))
    }

    /// What a store answered. Of its options `counts` are those that raise bounds of their names.
    pub(crate) fn refusal(refusal: Refusal, counts: &[String]) -> Self {
        let refused = |problems: Vec<Problem>| {
            let mut error = Self::new(ErrorKind::Refused, "the file is refused");
            error.0.problems = problems.into_iter().map(printable_problem).collect();
            error
        };
        match refusal {
            Refusal::Syntax(problem) => refused(vec![problem]),
            Refusal::Invalid(problems) => refused(problems),
            Refusal::TooLarge(Bound { name, what, limit, at }) => {
                let what = what.map(|what| format!("{}: ", printable(&what))).unwrap_or_default();
                let message = format!("{what}beyond the bound `{}` of {limit}", printable(&name));
                let error = refused(vec![Problem { message, at }]);
                if !counts.contains(&name) {
                    return error;
                }
                error.with_hint(format!("the option `{name}` raises it, for a file that is trusted with more"))
            }
            Refusal::Unsupported(message) => Self::new(ErrorKind::Refused, printable(&message)),
            Refusal::NotFound(_) => Self::new(ErrorKind::Access, "the store did not find the file"),
            Refusal::Denied(_) => Self::new(ErrorKind::Access, "the store was not let at the file"),
            Refusal::Conflict(message) => Self::new(ErrorKind::Conflict, printable(&message)),
            Refusal::Other(message) => Self::new(ErrorKind::Store, printable(&message)),
        }
    }

    /// What a format could not hold, where that is refused.
    pub(crate) fn losses(losses: Vec<Loss>) -> Self {
        let mut error = Self::new(ErrorKind::Refused, "the format cannot hold all of it");
        let problem = |Loss { pointer, what, why }: Loss| {
            let place = if pointer.is_empty() { "the document" } else { &pointer };
            Problem { message: format!("{place}: {what}: {why}"), at: None }
        };
        error.0.problems = losses.into_iter().map(problem).collect();
        error.with_hint("without --strict, or Store::refusing_losses, it is written so")
    }

    /// Names the file that the error is about, unless it is named already.
    pub fn on(mut self, path: &Path) -> Self {
        self.0.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// Names the file otherwise.
    pub(crate) fn shown_on(mut self, path: &Path) -> Self {
        self.0.path = Some(path.to_owned());
        self
    }

    /// Adds what may be done about it.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn saying(mut self, store_output: Vec<String>) -> Self {
        self.0.store_output = store_output;
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

/// `path:line:column: message`, a line a problem; `path: byte N: message` where the file is not text.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.path.as_deref().map(|path| printable(&path.to_string_lossy()));
        let prefix = path.as_deref().unwrap_or_default();
        if self.0.problems.is_empty() {
            let separator = if prefix.is_empty() { "" } else { ": " };
            return write!(f, "{prefix}{separator}{}", self.0.message);
        }
        for (number, problem) in self.0.problems.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{}: {}", place(prefix, problem.at), problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
