# Perl's Cache::Memcached and Cache::Memcached::Fast. Run as `perl cache_memcached.pl PORT PREFIX MODULE`; prints what checks.py prints.
use strict;
use warnings;
use JSON::PP;
use Time::HiRes qw(sleep time);

my ($port, $prefix, $module) = @ARGV;
$| = 1;
eval "require $module; 1" or die $@;

sub connected { return $module->new({ servers => ["127.0.0.1:$port"], utf8 => 0, max_size => 8_000_000 }) }

sub same($$$) {
    my ($found, $wanted, $what) = @_;
    my ($is, $ought) = map { JSON::PP->new->allow_nonref->canonical->encode(ref $_ || !defined $_ ? $_ : "$_") } $found, $wanted;
    die "$what: " . substr($is, 0, 60) . ", not " . substr($ought, 0, 60) . "\n" unless $is eq $ought;
}

sub true($$) { my ($found, $what) = @_; die "$what: refused\n" unless $found }
sub false($$) { my ($found, $what) = @_; die "$what: done\n" if $found }

sub set_and_get {
    my ($c, $k) = @_;
    for my $value ("one", "", "three") {
        true($c->set($k, $value), "set");
        same($c->get($k), $value, "get");
    }
}

sub random_bytes { my $size = shift; srand(1); return pack("L*", map { int(rand(2**32)) } 1 .. $size / 4) }

my @checks = (
    "set and get" => \&set_and_get,
    "miss" => sub { my ($c, $k) = @_; same($c->get($k), undef, "get") },
    "get many" => sub {
        my ($c, $k) = @_;
        my %wanted = map { ("$k$_" => "v$_") } grep { $_ % 2 } 0 .. 99;
        $c->set($_, $wanted{$_}) for keys %wanted;
        same($c->get_multi(map { "$k$_" } 0 .. 99), \%wanted, "half of a hundred keys");
        same($c->get_multi("${k}x", "${k}y"), {}, "no hit");
    },
    $module =~ /Fast/ ? ("set many" => sub {
        my ($c, $k) = @_;
        my $done = $c->set_multi(map { ["$k$_", "v$_"] } 0 .. 499);
        same(scalar(grep { $_ } values %$done), 500, "set");
        same($c->get("${k}499"), "v499", "get");
    }, "delete many" => sub {
        my ($c, $k) = @_;
        $c->set("$k$_", "x") for 1 .. 3;
        $c->delete_multi("${k}1", "${k}2");
        same($c->get_multi("${k}1", "${k}2", "${k}3"), { "${k}3" => "x" }, "what is left");
    }, "cas" => sub {
        my ($c, $k) = @_;
        $c->set($k, "one");
        my $both = $c->gets($k);
        same($both->[1], "one", "gets");
        true($c->cas($k, $both->[0], "two"), "cas");
        false($c->cas($k, $both->[0], "three"), "cas of an old value");
        same($c->get($k), "two", "get");
    }, "touch" => sub {
        my ($c, $k) = @_;
        $c->set($k, "x");
        true($c->touch($k, 100), "touch");
        same($c->get($k), "x", "get");
        false($c->touch("$k-not-there", 100), "touch what is not there");
    }, "noreply" => sub {
        my ($c, $k) = @_;
        $c->set($k . $_ % 7, "v$_") for 0 .. 499;    # in void context
        $c->nowait_push;
        same($c->get($k . $_ % 7), "v$_", "get") for 493 .. 499;
    }, "version" => sub {
        my ($c) = @_;
        true((values %{ $c->server_versions })[0] =~ /^\d+\.\d+/, "a version");
    }) : ("stats" => sub {
        my ($c) = @_;
        true($c->stats->{hosts}{"127.0.0.1:$port"}{misc}{uptime}, "uptime");
    }),
    "add and replace" => sub {
        my ($c, $k) = @_;
        false($c->replace($k, "nothing"), "replace what is not there");
        true($c->add($k, "first"), "add");
        false($c->add($k, "second"), "add what is there");
        true($c->replace($k, "third"), "replace");
        same($c->get($k), "third", "get");
    },
    "append and prepend" => sub {
        my ($c, $k) = @_;
        false($c->append($k, "x"), "append to what is not there");
        $c->set($k, "b");
        true($c->append($k, "c"), "append");
        true($c->prepend($k, "a"), "prepend");
        same($c->get($k), "abc", "get");
    },
    "incr and decr" => sub {
        my ($c, $k) = @_;
        false($c->incr($k, 1), "incr what is not there");
        $c->set($k, 9);
        same($c->incr($k, 5), 14, "incr");
        same($c->decr($k, 4), 10, "decr");
        same(0 + $c->decr($k, 50), 0, "decr below 0");
    },
    "delete" => sub {
        my ($c, $k) = @_;
        $c->set($k, "x");
        true($c->delete($k), "delete");
        same($c->get($k), undef, "get");
        false($c->delete($k), "delete what is not there");
    },
    "objects" => sub {
        my ($c, $k) = @_;
        my $object = { list => [1, "two", undef], long => "x" x 5000 };
        true($c->set($k, $object), "set");
        same($c->get($k), $object, "get");
    },
    "any bytes" => sub {
        my ($c, $k) = @_;
        my $bytes = join("", map { chr } 0 .. 255) . "\r\nEND\r\nVALUE x 0 1\r\n\0\xff";
        true($c->set($k, $bytes), "set");
        same($c->get($k), $bytes, "get");
    },
    "900 KB" => sub {
        my ($c, $k) = @_;
        my $value = random_bytes(900_000);
        true($c->set($k, $value), "set");
        true($c->get($k) eq $value, "get returns it");
    },
    "value too large" => sub {
        my ($c, $k) = @_;
        false($c->set($k, random_bytes(3_000_000)), "set of 3 MB");
        set_and_get($c, $k);
    },
    "250-byte key" => sub {
        my ($c, $k) = @_;
        $k .= "k" x (250 - length $k);
        true($c->set($k, "long"), "set");
        same($c->get($k), "long", "get");
    },
    "after an error" => sub {
        my ($c, $k) = @_;
        $c->set($k, "no number");
        for (1 .. 3) {
            false($c->incr($k, 1), "incr of what is no number");
            same($c->get($k), "no number", "get");
        }
    },
    "expiry" => sub {
        my ($c, $k) = @_;
        $c->set($k, "short", 1);
        my $end = time + 5;
        while (defined $c->get($k)) {
            true(time < $end, "gone after 5 s");
            sleep 0.05;
        }
    },
);

my $cache = connected();
print encode_json({ version => $module->VERSION }) . "\n";
while (my ($name, $run) = splice @checks, 0, 2) {
    my $key = $prefix . $name =~ tr/ /-/r;
    my $passed = eval { $run->($cache, $key); 1 };
    print encode_json({ check => $name, passed => $passed ? JSON::PP::true : JSON::PP::false, $passed ? () : (what => "$@") }) . "\n";
}
