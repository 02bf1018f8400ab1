"""Streams that were once worth asking memcached about, one a line, as in a bytes literal; `@` begins a key of the case's own."""

_LINES = r"""
get kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\n
get kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\r\n
set kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk 0 0 1\r\nx\r\nget kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\n
get\r\n
get \r\n
gets\r\n
get kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\n
get @a kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\nget @a\r\n
get kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk @a\r\n
set\r\n
set @a\r\n
set @a 0 0\r\n
set @a 0 0 -1\r\n
set @a @x 0 1\r\n1\r\n
set @a 0 0 noreply\r\n
set @a 0 0 1 noreply\r\nabc\r\n
set @a 0 0 1 foo\r\n1\r\n
set @a 0 0 1 noreply foo\r\n1\r\n
set @a 0 0 1 foo noreply\r\n1\r\n
set @a 0 0 1\r\nab\r\n
set @a 0 0 3\r\na\r\nget @a\r\n
set kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk 0 0 1\r\n1\r\n
set kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk 0 0 1 noreply\r\n1\r\n
set @a 0 0 2000000000\r\n
set @a 0 0 2147483646\r\n
set @a 0 0 9999999999999\r\n
set @a 4294967296 0 1\r\n1\r\nget @a\r\n
set @a 4294967295 0 1\r\n1\r\nget @a\r\n
set @a -1 0 1\r\n1\r\n
set @a 18446744073709551615 0 1\r\n1\r\nget @a\r\n
set @a 0 -1 1\r\n1\r\nget @a\r\n
set @a 0 99999999999 1\r\n1\r\nget @a\r\n
set @a 0 0 1x\r\n1\r\n
set @a 0x 0 1\r\n1\r\n
set @a +1 +1 +1\r\n1\r\n
set  @a  0  0  1 \r\n1\r\n
set @a 0 0 1\n1\r\nget @a\n
set @a 0 0 1\r\n1\n\nget @a\r\n
cas @a 0 0 1\r\n1\r\n
cas @a 0 0 1 @x\r\n1\r\n
cas @a 0 0 1 5 noreply\r\n1\r\n
set @a 0 0 1\r\n1\r\ngets @a\r\ncas @a 0 0 1 18446744073709551615\r\n2\r\nget @a\r\n
cas @a 0 0 1 -1\r\n1\r\n
cas @nokey 0 0 1 5\r\n1\r\n
delete\r\n
set @a 0 0 1\r\n1\r\ndelete @a 0\r\ndelete @a 0\r\n
delete @a 1\r\n
delete @a noreply\r\n
delete @a 0 noreply\r\n
delete @a 1 noreply\r\n
delete noreply\r\n
delete @a foo\r\n
delete @a 0 0 noreply\r\n
delete kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\n
delete kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk noreply\r\n
incr\r\n
incr @a\r\n
incr @a @x\r\n
incr @a -1\r\n
incr @a 1 noreply\r\n
incr @a 1 foo\r\n
incr @a @x noreply\r\n
incr @a 1 foo noreply\r\n
incr kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk 1\r\n
incr @a 99999999999999999999999\r\n
set @t 0 0 1\r\nx\r\nincr @t 1\r\nincr @t 1 noreply\r\n
set @n 0 0 20\r\n18446744073709551615\r\nincr @n 1\r\nincr @n 18446744073709551615\r\ndecr @n 1\r\nget @n\r\n
touch\r\n
touch @a\r\n
touch @a 0\r\n
touch @a @x\r\n
touch @a 0 noreply\r\n
touch @a 0 foo\r\n
touch @a 0 foo noreply\r\n
touch kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk 0\r\n
set @a 0 0 1\r\n1\r\ntouch @a 100\r\ngat 0 @a\r\ngats 0 @a @b @a\r\ngat -1 @a\r\nget @a\r\n
gat\r\n
gat 0\r\n
gat 0 \r\n
gat @x\r\n
gat @x @a\r\n
gat 0 kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\n
gats 0 @a\r\n
gat 0 @a @b\r\n
flush_all 5000 noreply\r\n
flush_all @x\r\n
flush_all @x noreply\r\n
flush_all 0 0 noreply\r\n
flush_all 0 0 0 0\r\n
verbosity\r\n
verbosity 1\r\n
verbosity 0 noreply\r\n
verbosity @x\r\n
verbosity noreply\r\n
verbosity 1 2\r\n
verbosity 1 2 3\r\n
verbosity 1 2 3 4\r\n
verbosity @x noreply\r\n
version\r\n
version foo\r\n
version noreply\r\n
quit\r\nget @a\r\n
quit foo\r\n
shutdown foo\r\n
shutdown\r\nget @a\r\n
 get @a\r\n
  get   @a  \r\n
get @a\n
\n
\r\n
a\r\n
 \r\n
\0\r\n
get @a\0b c\r\n
get\0 @a\r\n
get @a\rb\r\n
get @a\r\r\n
get @a\tb\r\n
set @a\0b 0 0 1\r\n1\r\n
GET @a\r\n
get\ta\r\n
GET / HTTP/1.1\r\nHost: @x\r\n\r\n
get @a\r\nGET / HTTP/1.1\r\nHost: @x\r\n\r\n
set @a 0 0 1\r\n1\r\nget @a\r\nPOST / HTTP/1.1\r\n\r\nget @a\r\n
Host: @a\r\n
get / HTTP/1.1\r\n
PUT @x\r\n
get 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30\r\n
set 30 0 0 1\r\nx\r\nget 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30\r\n
get 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\n
set @a 0 0 1 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30\r\n
version 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30\r\n
bget @a\r\n
incr @a 1 2 3\r\n
incr @a 18446744073709551615\r\n
incr @a 18446744073709551616\r\n
incr @a +1\r\n
incr @a 1x\r\n
set @n 0 0 2\r\n10\r\nincr @n 5\r\ndecr @n 100\r\nget @n\r\n
append @n 0 0 1\r\nx\r\n
prepend @nn 0 0 1\r\nx\r\n
set @n 3 0 1\r\n1\r\nappend @n 5 0 1\r\n2\r\nprepend @n 0 0 1\r\n0\r\nadd @n 0 0 1\r\n1\r\nget @n\r\n
replace @nn 0 0 1\r\n1\r\n
replace @nn 0 0 1 noreply\r\n1\r\n
stats\r\nget @a\r\n
stats noreply\r\n
stats foo\r\n
stats detail\r\n
stats detail foo\r\n
stats cachedump\r\n
stats cachedump 1\r\n
stats cachedump @x y\r\n
stats cachedump 100 1\r\n
stats malloc\r\n
me\r\n
mn foo\r\n
mn foo bar noreply\r\n
mg\r\n
mg @a\r\n
set @n 0 0 3\r\n0 @x\r\nmg @n\r\nmg @n v\r\nmg @n v v\r\nmg @n k v f s @t O123 q\r\nmg @n q\r\nmg @n v q\r\nmg @n s\r\n
mg @nokey q\r\n
mg @nokey k Oabc\r\n
mg @nokey k Oabc q\r\n
mg @n q q\r\nmg @n q k q\r\n
mg @n !\r\n
mg @n N\r\n
mg @n Nx\r\n
mg @n N5x\r\n
mg @vivify N30 v @t\r\nmg @vivify N30 v @t\r\n
mg @n Oabcdefghijklmnopqrstuvwxyz0123456789\r\n
mg @n Oabcdefghijklmnopqrstuvwxyz01234\r\n
mg kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\n
mg Zm9v @b\r\n
mg Zm9v @b k\r\n
mg *** @b k\r\n
mg @a @b c d e f g h i j k l m @n o p q r s @t u v w @x y z\r\n
mg @n T0\r\n
mg @n Tx\r\n
mg @n vv\r\n
mg @n E5\r\n
ms\r\n
ms @a\r\n
ms @a 1\r\n1\r\n
ms @a S1\r\n1\r\n
ms @a @x\r\n1\r\n
ms @a -1\r\n1\r\n
ms @a 1 q\r\n1\r\n
ms @a 1 q k\r\n12\r\n
ms @a 1 T0 F5 k O1 c @b\r\n1\r\n
ms YQ== 1 @b k\r\n1\r\n
ms @a 1 MA k\r\n1\r\n
ms @a 1 Mx\r\n1\r\n
ms @a 1 M\r\n1\r\n
ms @a 1 ME\r\n1\r\n
ms @zz 1 MR q\r\n1\r\n
ms @a 1 C1 q\r\n1\r\n
ms @a 1 Cx\r\n1\r\n
ms @a 1 Fx\r\n1\r\n
ms @a 1 Tx q\r\n1\r\n
ms @a 1 !\r\n1\r\n
ms @a 1 ! !\r\n12\r\n
ms @a 1 I\r\n1\r\n
ms @a 12\r\n1\r\nmn\r\nmn\r\nmn\r\n
ms kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk 1\r\n1\r\n
ms kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk 1 q\r\n1\r\n
ms @a 3000000000\r\n
ms @a 1 1\r\n1\r\n
ms @a 1 v\r\n1\r\n
ms @a 1 @a @b c d e f g h i j k l m @n o p q r s @t u v w @x y z\r\n1\r\n
ms @a 1\r\n1\r\nmd @a\r\nmd @a\r\nmd @a q\r\n
set @n 0 0 1\r\n1\r\nmd @n q k O1\r\nget @n\r\n
md @nokey q\r\n
md @nokey k O1\r\n
md @n !\r\n
md\r\n
set @n 0 0 1\r\n1\r\nmd @n I T30\r\nmg @n v @t\r\n
ma\r\n
ma @a\r\n
ma @a q\r\n
set @n 0 0 2\r\n10\r\nma @n v\r\nma @n q\r\nma @n v q\r\nma @n D5 MD v @t k O1\r\n
ma @a Dx\r\n
ma @a Mx\r\n
ma @n D\r\n
ma @cr N0 J13 v\r\n
set @x 0 0 1\r\nx\r\nma @x\r\nma @x q\r\n
me @a\r\n
set @n 0 0 1\r\n1\r\nme @n\r\nme @n q\r\n
me kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\r\n
mx @a\r\n
m\r\n
mgx @a\r\n
azq x HTTP/1.1\r\nget @a\r\n
mz HTTP/1\r\nget @a\r\n
mzz HTTP/1\r\nget @a\r\n
"""

CORPUS = [line.encode("latin-1").decode("unicode_escape").encode("latin-1") for line in _LINES.strip("\n").split("\n")]
