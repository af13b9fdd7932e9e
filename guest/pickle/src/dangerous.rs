//! What is known to be dangerous, to say why. It is refused because it is not known to be data; this list makes nothing
//! safe that is not in it.

use crate::graph::Global;

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
    ("aiohttp", "it reaches the network"),
    ("asyncio", "it runs programs and reaches the network"),
    ("bdb", "it runs code"),
    ("cProfile", "it runs code"),
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
    ("http.client", "it reaches the network"),
    ("http.server", "it reaches the network"),
    ("httplib", "it reaches the network"),
    ("idlelib", "it runs code and programs"),
    ("imaplib", "it reaches the network and runs programs"),
    ("imp", "it imports modules"),
    ("importlib", "it imports modules"),
    ("io", "it opens files"),
    ("joblib", "it calls what it is given"),
    ("lib2to3", "it unpickles files"),
    ("linecache", "it reads files"),
    ("logging", "it opens files and looks names up"),
    ("marshal", "it makes code"),
    ("mmap", "it reaches memory and files"),
    ("multiprocessing", "it runs programs"),
    ("nt", "it is the operating system"),
    ("ntpath", "it reaches files"),
    ("numpy.distutils", "it runs programs"),
    ("numpy.f2py", "it runs code and programs"),
    ("numpy.testing", "it runs code"),
    ("operator", "it calls what it is given, or looks into it"),
    ("os", "it is the operating system"),
    ("pathlib", "it reaches files"),
    ("pdb", "it runs code"),
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
    ("setuptools", "it runs programs"),
    ("shelve", "it unpickles files"),
    ("shutil", "it changes and removes files"),
    ("signal", "it changes how the program answers signals"),
    ("site", "it runs code"),
    ("smtplib", "it reaches the network"),
    ("socket", "it reaches the network"),
    ("socketserver", "it reaches the network"),
    ("sqlite3", "it opens files and loads machine code"),
    ("ssl", "it reaches the network"),
    ("six", "it stands for other modules"),
    ("subprocess", "it runs programs"),
    ("sympy", "it runs text as code"),
    ("sys", "it is the interpreter"),
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
    ("zipimport", "it imports modules"),
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
    let module = global.module();
    if module == "builtins" {
        // A dotted name gets at what the first part has.
        let first = global.name.split('.').next().unwrap_or_default();
        return BUILTINS.iter().find(|(name, _)| *name == first).map(|(_, why)| *why);
    }
    let is_in = |of: &str| module == of || module.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'));
    MODULES.iter().find(|(of, _)| is_in(of)).map(|(_, why)| *why)
}

/// The modules of Python's standard library, those of Python 2 and those that are gone too.
const STANDARD_LIBRARY: &str = "\
    __future__ _abc _aix_support _android_support _ast _asyncio _bisect _blake2 _bz2 _codecs _codecs_cn _codecs_hk \
    _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc _colorize _compat_pickle \
    _compression _contextvars _csv _ctypes _curses _curses_panel _datetime _dbm _decimal _elementtree \
    _frozen_importlib _frozen_importlib_external _functools _gdbm _hashlib _heapq _imp _interpchannels _interpqueues \
    _interpreters _io _ios_support _json _locale _lsprof _lzma _markupbase _md5 _multibytecodec _multiprocessing \
    _opcode _opcode_metadata _operator _osx_support _overlapped _pickle _posixshmem _posixsubprocess _py_abc \
    _pydatetime _pydecimal _pyio _pylong _pyrepl _queue _random _scproxy _sha1 _sha2 _sha3 _signal _sitebuiltins \
    _socket _sqlite3 _sre _ssl _stat _statistics _string _strptime _struct _suggestions _symtable _sysconfig _thread \
    _threading_local _tkinter _tokenize _tracemalloc _typing _uuid _warnings _weakref _weakrefset _winapi _wmi \
    _zoneinfo abc aifc antigravity anydbm argparse array ast asynchat asyncio asyncore atexit audiodev audioop \
    base64 BaseHTTPServer Bastion bdb binascii binhex bisect bsddb builtins bz2 calendar Canvas Carbon CDROM cgi \
    CGIHTTPServer cgitb chunk cmath cmd code codecs codeop collections ColorPicker colorsys commands compileall \
    compiler concurrent ConfigParser configparser contextlib contextvars Cookie cookielib copy copy_reg copyreg \
    cPickle cProfile crypt cStringIO csv ctypes curses dataclasses datetime dbhash dbm decimal Dialog difflib \
    dircache dis distutils dl DLFCN doctest DocXMLRPCServer dumbdbm dummy_thread dummy_threading EasyDialogs email \
    encodings ensurepip enum errno exceptions faulthandler fcntl filecmp FileDialog fileinput FixTk fnmatch \
    formatter fpformat fractions FrameWork ftplib functools future_builtins gc gdbm genericpath getopt getpass \
    gettext glob graphlib grp gzip hashlib heapq hmac hotshot html htmlentitydefs htmllib HTMLParser http httplib \
    idlelib ihooks imageop imaplib imghdr imp importlib imputil IN inspect io ipaddress itertools json keyword \
    lib2to3 linecache linuxaudiodev locale logging lzma MacOS macostools macpath macurl2path mailbox mailcap \
    markupbase marshal math md5 mhlib mimetools mimetypes MimeWriter mimify mmap modulefinder msilib msvcrt \
    multifile multiprocessing mutex netrc new nis nntplib nt ntpath nturl2path numbers opcode operator optparse os \
    os2emxpath ossaudiodev parser pathlib pdb pickle pickletools pipes pkgutil platform plistlib popen2 poplib posix \
    posixfile posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat Queue queue quopri \
    random re readline repr reprlib resource rexec rfc822 rlcompleter robotparser runpy sched ScrolledText secrets \
    select selectors sets sgmllib sha shelve shlex shutil signal SimpleDialog SimpleHTTPServer SimpleXMLRPCServer \
    site smtpd smtplib sndhdr socket SocketServer socketserver spwd sqlite3 sre sre_compile sre_constants sre_parse \
    ssl stat statistics statvfs string StringIO stringold stringprep strop struct subprocess sunau sunaudio symbol \
    symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this thread threading time \
    timeit Tix tkColorChooser tkCommonDialog Tkconstants Tkdnd tkFileDialog tkFont Tkinter tkinter tkMessageBox \
    tkSimpleDialog toaiff token tokenize tomllib trace traceback tracemalloc ttk tty turtle turtledemo TYPES types \
    typing unichr unicodedata unittest urllib urllib2 urlparse user UserDict UserList UserString uu uuid venv \
    warnings wave weakref webbrowser whichdb whrandom winreg winsound wsgiref xdrlib xml xmllib xmlrpc xmlrpclib \
    xxlimited xxlimited_35 xxsubtype zipapp zipfile zipimport zlib zoneinfo";

/// Whether a module is the program that was run when the pickle was made.
pub(crate) fn is_main(module: &str) -> bool {
    matches!(module, "__main__" | "__mp_main__")
}

/// Whether a global is Python's own, or of a package that is known to do more than hold data. Python's are all modules
/// that have a name for themselves alone.
pub(crate) fn is_of_python(global: &Global) -> bool {
    let module = global.module();
    let package = module.split('.').next().unwrap_or_default();
    let is_private = package.starts_with('_') && !is_main(module);
    is_private || danger(global).is_some() || STANDARD_LIBRARY.split(' ').any(|module| module == package)
}
