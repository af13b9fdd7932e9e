//! What is known to be dangerous, to say why. It is refused because it is not known to be data; this list makes nothing
//! safe that is not in it.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::machine::graph::Global;
use crate::trust::records::is_class_name;

/// Why a name is dangerous.
type Dangers = HashMap<&'static str, &'static str>;

/// Modules, those below them too, and why what they have is dangerous.
const MODULES: &[(&str, &str)] = &[
    ("_aix_support", "it runs commands"),
    ("_ctypes", "it calls machine code"),
    ("_functools", "it calls what it is given"),
    ("_imp", "it imports modules"),
    ("_io", "it opens files"),
    ("_operator", "it calls what it is given, or looks into it"),
    ("_osx_support", "it runs commands"),
    ("_pickle", "it unpickles what this hides"),
    ("_posixsubprocess", "it runs programs"),
    ("_pyrepl", "it runs code and programs"),
    ("_socket", "it reaches the network"),
    ("_thread", "it runs what it is given"),
    ("_winapi", "it runs programs"),
    ("aiohttp", "it reaches the network"),
    ("asyncio", "it runs programs and reaches the network"),
    ("atexit", "it runs what it is given"),
    ("bdb", "it runs code"),
    ("bz2", "it opens files"),
    ("cProfile", "it runs code"),
    ("cffi", "it calls machine code"),
    ("cloudpickle", "it makes functions of code"),
    ("code", "it runs code"),
    ("codecs", "it opens files"),
    ("commands", "it runs commands"),
    ("ctypes", "it calls machine code"),
    ("dill", "it makes functions of code"),
    ("distutils", "it runs programs"),
    ("doctest", "it runs code"),
    ("ensurepip", "it runs programs"),
    ("fileinput", "it reads and replaces files"),
    ("ftplib", "it reaches the network"),
    ("functools", "it calls what it is given"),
    ("gc", "it reaches every object of the program"),
    ("gzip", "it opens files"),
    ("http.client", "it reaches the network"),
    ("http.server", "it reaches the network"),
    ("httplib", "it reaches the network"),
    ("idlelib", "it runs code and programs"),
    ("imaplib", "it reaches the network and runs programs"),
    ("imp", "it imports modules"),
    ("importlib", "it imports modules"),
    ("io", "it opens files"),
    ("joblib", "it calls what it is given"),
    ("keras", "it loads and runs code"),
    ("lib2to3", "it unpickles files"),
    ("linecache", "it reads files"),
    ("logging", "it opens files and looks names up"),
    ("lzma", "it opens files"),
    ("marshal", "it makes code"),
    ("mmap", "it reaches memory and files"),
    ("multiprocessing", "it runs programs"),
    ("nt", "it is the operating system"),
    ("ntpath", "it reaches files"),
    ("numexpr", "it runs text as code"),
    ("numpy._core.memmap", "it opens and changes files"),
    ("numpy.core.memmap", "it opens and changes files"),
    ("numpy.distutils", "it runs programs"),
    ("numpy.f2py", "it runs code and programs"),
    ("numpy.lib", "it opens and unpickles files"),
    ("numpy.testing", "it runs code"),
    ("operator", "it calls what it is given, or looks into it"),
    ("os", "it is the operating system"),
    ("pandas.core.computation", "it runs text as code"),
    ("pandas.io", "it opens and unpickles files"),
    ("pathlib", "it reaches files"),
    ("pdb", "it runs code"),
    ("pexpect", "it runs programs"),
    ("pickle", "it unpickles what this hides"),
    ("pip", "it installs packages"),
    ("pkg_resources", "it runs code"),
    ("pkgutil", "it imports modules"),
    ("platform", "it runs commands"),
    ("poplib", "it reaches the network"),
    ("posix", "it is the operating system"),
    ("posixpath", "it reaches files"),
    ("profile", "it runs code"),
    ("pty", "it runs programs"),
    ("pydoc", "it imports modules and runs programs"),
    ("requests", "it reaches the network"),
    ("runpy", "it runs code"),
    ("scipy.stats", "it runs text as code"),
    ("setuptools", "it runs programs"),
    ("shelve", "it unpickles files"),
    ("shutil", "it changes and removes files"),
    ("signal", "it changes how the program answers signals"),
    ("site", "it runs code"),
    ("sklearn.callback", "it reaches the network"),
    ("sklearn.externals", "it calls what it is given"),
    ("smtplib", "it reaches the network"),
    ("socket", "it reaches the network"),
    ("socketserver", "it reaches the network"),
    ("sqlite3", "it opens files and loads machine code"),
    ("ssl", "it reaches the network"),
    ("six", "it stands for other modules"),
    ("subprocess", "it runs programs"),
    ("sympy", "it runs text as code"),
    ("sys", "it is the interpreter"),
    ("tarfile", "it opens files"),
    ("telnetlib", "it reaches the network"),
    ("tempfile", "it makes files"),
    ("test", "it runs programs"),
    ("threading", "it runs what it is given"),
    ("timeit", "it runs code"),
    ("torch", "it loads and runs code"),
    ("trace", "it runs code"),
    ("types", "it makes functions of code"),
    ("unittest", "it imports modules and runs code"),
    ("urllib", "it reaches the network"),
    ("urllib2", "it reaches the network"),
    ("uuid", "it runs programs"),
    ("venv", "it runs programs"),
    ("webbrowser", "it runs programs"),
    ("xmlrpc", "it reaches the network"),
    ("yaml", "it makes objects of any class"),
    ("zipfile", "it opens files"),
    ("zipimport", "it imports modules"),
];

/// Modules within those above of whose classes nothing dangerous is known.
const CLASSES: &[&str] = &["torch.nn.modules", "torch.optim"];

/// Functions of modules that hold data too.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("numpy", "DataSource", "it opens and removes files"),
    ("numpy", "fromfile", "it reads files"),
    ("numpy", "load", "it unpickles files"),
    ("numpy", "save", "it writes files"),
    ("pandas", "eval", "it runs text as code"),
    ("pandas", "read_pickle", "it unpickles files"),
    ("weakref", "finalize", "it runs what it is given"),
];

/// What `builtins` has that is no data.
const BUILTINS: &[(&str, &str)] = &[
    ("__import__", "it imports modules"),
    ("apply", "it calls what it is given"),
    ("breakpoint", "it stops the program"),
    ("compile", "it makes code"),
    ("delattr", "it changes objects"),
    ("dir", "it looks into objects"),
    ("eval", "it runs code"),
    ("exec", "it runs code"),
    ("execfile", "it runs code"),
    ("exit", "it ends the program"),
    ("file", "it opens files"),
    ("filter", "it calls what it is given"),
    ("getattr", "it gets at everything that an object has"),
    ("globals", "it gets at everything that a module has"),
    ("help", "it imports modules and runs programs"),
    ("hasattr", "it looks into objects"),
    ("input", "it waits for input, and runs it in Python 2"),
    ("license", "it reads files"),
    ("locals", "it gets at everything that a function has"),
    ("map", "it calls what it is given"),
    ("max", "it calls what it is given"),
    ("min", "it calls what it is given"),
    ("open", "it opens files"),
    ("quit", "it ends the program"),
    ("reload", "it imports modules"),
    ("setattr", "it changes objects"),
    ("sorted", "it calls what it is given"),
    ("type", "it makes classes"),
    ("vars", "it gets at everything that an object has"),
];

/// Why a global that is not known to be data is dangerous, where that is known.
pub(crate) fn danger(global: &Global) -> Option<&'static str> {
    static DANGERS: LazyLock<[Dangers; 2]> =
        LazyLock::new(|| [MODULES, BUILTINS].map(|table| table.iter().copied().collect()));
    let [of_modules, of_builtins] = &*DANGERS;
    let module = global.module();
    if module == "builtins" {
        // A dotted name gets at what the first part has.
        let first = global.name.split('.').next().unwrap_or_default();
        return of_builtins.get(first).copied();
    }
    if let Some((.., why)) = FUNCTIONS.iter().find(|(of, name, _)| *of == module && *name == global.name) {
        return Some(why);
    }
    let outer = || module.match_indices('.').map(|(dot, _)| &module[..dot]).chain([module]);
    let is_class = is_class_name(global.name()) && outer().any(|module| CLASSES.contains(&module));
    let is_rebuilder = module == "torch._utils" && global.name().starts_with("_rebuild_");
    if (is_class || is_rebuilder) && !global.name().contains('.') {
        return None;
    }
    outer().find_map(|module| of_modules.get(module).copied())
}
