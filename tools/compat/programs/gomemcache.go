// Go's gomemcache. Run as `gomemcache PORT PREFIX`; prints what checks.py prints.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

type check struct {
	name string
	run  func(c *memcache.Client, k string)
}

// must panics with what is wrong; main makes a line of it.
func must(good bool, what string, details ...interface{}) {
	if !good {
		panic(fmt.Sprint(what, ": ", fmt.Sprint(details...)))
	}
}

func set(c *memcache.Client, k, value string) {
	err := c.Set(&memcache.Item{Key: k, Value: []byte(value)})
	must(err == nil, "set", err)
}

func get(c *memcache.Client, k, wanted string) {
	item, err := c.Get(k)
	must(err == nil, "get", err)
	must(string(item.Value) == wanted, "get: another value", len(item.Value))
}

func missing(c *memcache.Client, k string) {
	_, err := c.Get(k)
	must(err == memcache.ErrCacheMiss, "get", err)
}

func setAndGet(c *memcache.Client, k string) {
	for _, value := range []string{"one", "", "three"} {
		set(c, k, value)
		get(c, k, value)
	}
}

func random(size int) string {
	data := make([]byte, size)
	rand.Read(data)
	return string(data)
}

var checks = []check{
	{"set and get", setAndGet},
	{"miss", missing},
	{"get many", func(c *memcache.Client, k string) {
		names, wanted := []string{}, map[string]string{}
		for i := 0; i < 100; i++ {
			name := fmt.Sprint(k, i)
			names = append(names, name)
			if i%2 == 1 {
				wanted[name] = fmt.Sprint("v", i)
				set(c, name, wanted[name])
			}
		}
		items, err := c.GetMulti(names)
		must(err == nil, "get", err)
		found := map[string]string{}
		for name, item := range items {
			found[name] = string(item.Value)
		}
		must(reflect.DeepEqual(found, wanted), "half of a hundred keys", len(found))
	}},
	{"add and replace", func(c *memcache.Client, k string) {
		err := c.Replace(&memcache.Item{Key: k, Value: []byte("nothing")})
		must(err == memcache.ErrNotStored, "replace what is not there", err)
		err = c.Add(&memcache.Item{Key: k, Value: []byte("first")})
		must(err == nil, "add", err)
		err = c.Add(&memcache.Item{Key: k, Value: []byte("second")})
		must(err == memcache.ErrNotStored, "add what is there", err)
		err = c.Replace(&memcache.Item{Key: k, Value: []byte("third")})
		must(err == nil, "replace", err)
		get(c, k, "third")
	}},
	{"incr and decr", func(c *memcache.Client, k string) {
		_, err := c.Increment(k, 1)
		must(err == memcache.ErrCacheMiss, "incr what is not there", err)
		set(c, k, "9")
		n, err := c.Increment(k, 5)
		must(n == 14, "incr", n, err)
		n, err = c.Decrement(k, 4)
		must(n == 10, "decr", n, err)
		n, err = c.Decrement(k, 50)
		must(n == 0 && err == nil, "decr below 0", n, err)
	}},
	{"cas", func(c *memcache.Client, k string) {
		set(c, k, "one")
		first, err := c.Get(k)
		must(err == nil, "get", err)
		second := *first
		first.Value = []byte("two")
		err = c.CompareAndSwap(first)
		must(err == nil, "cas", err)
		err = c.CompareAndSwap(&second)
		must(err == memcache.ErrCASConflict, "cas of an old value", err)
		get(c, k, "two")
	}},
	{"delete", func(c *memcache.Client, k string) {
		set(c, k, "x")
		err := c.Delete(k)
		must(err == nil, "delete", err)
		missing(c, k)
		err = c.Delete(k)
		must(err == memcache.ErrCacheMiss, "delete what is not there", err)
	}},
	{"touch", func(c *memcache.Client, k string) {
		set(c, k, "x")
		err := c.Touch(k, 100)
		must(err == nil, "touch", err)
		get(c, k, "x")
		err = c.Touch(k+"-not-there", 100)
		must(err == memcache.ErrCacheMiss, "touch what is not there", err)
	}},
	{"objects", func(c *memcache.Client, k string) {
		err := c.Set(&memcache.Item{Key: k, Value: []byte("{}"), Flags: 1<<32 - 1})
		must(err == nil, "set", err)
		item, err := c.Get(k)
		must(err == nil, "get", err)
		must(item.Flags == 1<<32-1, "flags", item.Flags)
	}},
	{"any bytes", func(c *memcache.Client, k string) {
		value := bytes.Buffer{}
		for i := 0; i < 256; i++ {
			value.WriteByte(byte(i))
		}
		value.WriteString("\r\nEND\r\nVALUE x 0 1\r\n\x00\xff")
		set(c, k, value.String())
		get(c, k, value.String())
	}},
	{"900 KB", func(c *memcache.Client, k string) {
		value := random(900000)
		set(c, k, value)
		get(c, k, value)
	}},
	{"value too large", func(c *memcache.Client, k string) {
		err := c.Set(&memcache.Item{Key: k, Value: []byte(random(3000000))})
		must(err != nil, "set of 3 MB", "done")
		setAndGet(c, k)
	}},
	{"250-byte key", func(c *memcache.Client, k string) {
		setAndGet(c, k+strings.Repeat("k", 250-len(k)))
	}},
	{"key too long", func(c *memcache.Client, k string) {
		_, err := c.Get(k + strings.Repeat("k", 251-len(k)))
		must(err != nil, "get", "done")
		setAndGet(c, k)
	}},
	{"after an error", func(c *memcache.Client, k string) {
		set(c, k, "no number")
		for i := 0; i < 3; i++ {
			_, err := c.Increment(k, 1)
			must(err != nil, "incr of what is no number", "done")
			get(c, k, "no number")
		}
	}},
	{"expiry", func(c *memcache.Client, k string) {
		err := c.Set(&memcache.Item{Key: k, Value: []byte("short"), Expiration: 1})
		must(err == nil, "set", err)
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if _, err := c.Get(k); err == memcache.ErrCacheMiss {
				break
			}
			must(time.Now().Before(end), "still there after 5 s")
		}
	}},
	{"threads", func(c *memcache.Client, k string) {
		var group sync.WaitGroup
		faults := make(chan interface{}, 8)
		for n := 0; n < 8; n++ {
			group.Add(1)
			go func(n int) {
				defer group.Done()
				defer func() { faults <- recover() }()
				for i := 0; i < 50; i++ {
					set(c, fmt.Sprint(k, n, "-", i), fmt.Sprint(n, i))
					get(c, fmt.Sprint(k, n, "-", i), fmt.Sprint(n, i))
				}
			}(n)
		}
		group.Wait()
		for n := 0; n < 8; n++ {
			fault := <-faults
			must(fault == nil, "a thread", fault)
		}
	}},
}

func (it check) judge(c *memcache.Client, prefix string) (line map[string]interface{}) {
	line = map[string]interface{}{"check": it.name, "passed": true}
	defer func() {
		if what := recover(); what != nil {
			line["passed"], line["what"] = false, fmt.Sprint(what)
		}
	}()
	it.run(c, prefix+strings.ReplaceAll(it.name, " ", "-"))
	return
}

func main() {
	client := memcache.New("127.0.0.1:" + os.Args[1])
	client.Timeout = 5 * time.Second
	out := json.NewEncoder(os.Stdout)
	for _, it := range checks {
		out.Encode(it.judge(client, os.Args[2]))
	}
}
