//! Exceptions of Python's own, which jobs give back in place of a result.

use super::Pickled;
use crate::document::{Part, map};
use crate::machine::graph::{Global, Node, Value};

const EXCEPTIONS: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "BytesWarning",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "DeprecationWarning",
    "EOFError",
    "EncodingWarning",
    "EnvironmentError",
    "Exception",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotADirectoryError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "PermissionError",
    "ProcessLookupError",
    "RecursionError",
    "ReferenceError",
    "ResourceWarning",
    "RuntimeError",
    "RuntimeWarning",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "TimeoutError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "UnicodeWarning",
    "UserWarning",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
];

pub(crate) fn is_exception(global: &Global) -> bool {
    global.module() == "builtins" && EXCEPTIONS.contains(&global.name())
}

/// The class that Python makes of an `OSError` with a number of Linux's and more.
fn of_number(it: &Pickled<'_>, class: &Global) -> Option<&'static str> {
    let is_general = matches!(class.name(), "OSError" | "IOError" | "EnvironmentError");
    let number = match *it.arguments.first().filter(|_| is_general && (2..=5).contains(&it.arguments.len()))? {
        Value::Bool(value) => i64::from(value),
        value => it.graph.integer(value)?.as_i64()?,
    };
    Some(match number {
        1 | 13 => "PermissionError",
        2 => "FileNotFoundError",
        3 => "ProcessLookupError",
        4 => "InterruptedError",
        10 => "ChildProcessError",
        11 | 114 | 115 => "BlockingIOError",
        17 => "FileExistsError",
        20 => "NotADirectoryError",
        21 => "IsADirectoryError",
        32 | 108 => "BrokenPipeError",
        103 => "ConnectionAbortedError",
        104 => "ConnectionResetError",
        110 => "TimeoutError",
        111 => "ConnectionRefusedError",
        _ => return None,
    })
}

/// Whether the class looks into its second argument, and that is no tuple.
fn unpacks(it: &Pickled<'_>, class: &str) -> bool {
    let is_one = matches!(class, "builtins.SyntaxError" | "builtins.IndentationError" | "builtins.TabError");
    let is_tuple = |&value: &Value| matches!(it.graph.find(value), Some(Node::Tuple(_)));
    is_one && !it.arguments.get(1).is_none_or(is_tuple)
}

/// A call of its class with arguments, and its attributes where it has some.
pub(crate) fn exception(it: &Pickled<'_>, class: &Global) -> Option<Vec<Part>> {
    let class = of_number(it, class).map_or_else(|| class.to_string(), |name| format!("builtins.{name}"));
    let arguments = vec![Part::Value(it.object.arguments)];
    let content = match it.object.states[..] {
        [] => arguments,
        // Its arguments are an attribute too, which a state may set anew.
        [state] if it.graph.has_names(state, |name| name != "args" && !name.starts_with("__")) => {
            map([("args", arguments), ("attributes", vec![Part::Value(state)])])
        }
        _ => return None,
    };
    (!it.object.is_filled() && !unpacks(it, &class)).then(|| Part::named(&class, content))
}
