//! Which globals are Python's own.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::machine::graph::Global;
use crate::trust::dangerous::danger;

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
    static MODULES: LazyLock<HashSet<&str>> = LazyLock::new(|| STANDARD_LIBRARY.split(' ').collect());
    let module = global.module();
    let package = module.split('.').next().unwrap_or_default();
    let is_private = package.starts_with('_') && !is_main(module);
    is_private || danger(global).is_some() || MODULES.contains(package)
}
