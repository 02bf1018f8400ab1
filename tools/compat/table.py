"""The clients, each once: tools/clients.py, the README's table and the tests derive from this."""

from typing import Mapping, NamedTuple, Tuple

PIP, NPM, APT, NOTHING = "pip", "npm", "apt", "nothing"
TEXT, META, BINARY = "text", "meta", "binary"


class Client(NamedTuple):
    """One row.

    `installer` is what brings `packages`: pip and npm into a folder of the client's own, apt into the system. `words`
    is the command that runs its program, {python} the one of its environment, {folder} its folder, {programs} where
    the programs lie. `build` is run before. `differs` has the checks that are known to fail through the router, with
    the reason; of the binary protocol, which it does not speak, all do.
    """

    name: str
    language: str
    protocol: str
    installer: str
    packages: Tuple[str, ...]
    words: Tuple[str, ...]
    variant: str = ""
    build: Tuple[str, ...] = ()
    differs: Mapping[str, str] = {}


def _python(name: str, protocol: str, packages: str, program: str, variant: str = "") -> Client:
    return Client(name, "Python", protocol, PIP, tuple(packages.split()), ("{python}", program), variant)


def _node(name: str, protocol: str) -> Client:
    return Client(name, "JavaScript", protocol, NPM, (name,), ("node", "{programs}/node_clients.js"), name)


def _debian(name: str, language: str, protocol: str, packages: str, words: str, variant: str = "") -> Client:
    return Client(name, language, protocol, APT, tuple(packages.split()), tuple(words.split()), variant)


_SEVERAL_WORDS = {"stats": "takes no value of several words, which version and commandargs are, as facebook/mcrouter's"}
_LIBMEMCACHED = "{python} libmemcached_tools.py"
_PHP, _PHP_PACKAGES = "php memcached.php", "php-cli php-memcached"
_PERL = "perl cache_memcached.pl"
_GO_PACKAGES = "golang-github-bradfitz-gomemcache-dev golang-go"
_GO_PATH = "GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE={folder}/cache"
_GO_BUILD = f"env {_GO_PATH} go build -o {{folder}}/gomemcache gomemcache.go"
_JAVA_PACKAGES = "libspymemcached-java libslf4j-java default-jdk-headless"
_JAVA = "java -cp /usr/share/java/spymemcached.jar:/usr/share/java/slf4j-api.jar Spymemcached.java"

CLIENTS = (
    Client("sockets", "Python", TEXT, NOTHING, (), ("{python}", "with_sockets.py")),
    _python("pymemcache", TEXT, "pymemcache", "with_pymemcache.py", "Client"),
    _python("pymemcache PooledClient", TEXT, "pymemcache", "with_pymemcache.py", "PooledClient"),
    _python("pymemcache HashClient", TEXT, "pymemcache", "with_pymemcache.py", "HashClient"),
    _python("pylibmc", TEXT, "pylibmc", "with_pylibmc.py"),
    _python("pylibmc no_block", TEXT, "pylibmc", "with_pylibmc.py", "no_block"),
    _python("libmc", TEXT, "libmc", "with_libmc.py"),
    _python("python-memcached", TEXT, "python-memcached", "with_python_memcached.py"),
    _python("Django PyMemcacheCache", TEXT, "django pymemcache", "with_django.py", "PyMemcacheCache"),
    _python("Django PyLibMCCache", TEXT, "django pylibmc", "with_django.py", "PyLibMCCache"),
    _python("aiomcache", TEXT, "aiomcache", "with_aiomcache.py"),
    _python("emcache", TEXT, "emcache", "with_emcache.py"),
    _python("memcachio", TEXT, "memcachio", "with_memcachio.py")._replace(differs=_SEVERAL_WORDS),
    _python("meta-memcache", META, "meta-memcache", "with_meta_memcache.py"),
    _python("python-binary-memcached", BINARY, "python-binary-memcached", "with_bmemcached.py"),
    _debian("libmemcached's tools", "C", TEXT, "libmemcached-tools", _LIBMEMCACHED),
    _debian("php-memcached", "PHP", TEXT, _PHP_PACKAGES, _PHP),
    _debian("php-memcached, binary", "PHP", BINARY, _PHP_PACKAGES, _PHP, "binary"),
    _debian("Cache::Memcached", "Perl", TEXT, "libcache-memcached-perl", _PERL, "Cache::Memcached"),
    _debian("Cache::Memcached::Fast", "Perl", TEXT, "libcache-memcached-fast-perl", _PERL, "Cache::Memcached::Fast"),
    _debian("dalli", "Ruby", BINARY, "ruby-dalli ruby", "ruby dalli.rb"),
    _node("memcached", TEXT),
    _node("memcache-client", TEXT),
    _node("memjs", BINARY),
    _debian("gomemcache", "Go", TEXT, _GO_PACKAGES, "{folder}/gomemcache")._replace(build=tuple(_GO_BUILD.split())),
    _debian("spymemcached", "Java", TEXT, _JAVA_PACKAGES, _JAVA, "text"),
    _debian("spymemcached, binary", "Java", BINARY, _JAVA_PACKAGES, _JAVA, "binary"),
)
