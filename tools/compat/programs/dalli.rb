# Ruby's dalli. Run as `ruby dalli.rb PORT PREFIX`; prints what checks.py prints.
require "dalli"
require "json"
require "logger"
require "securerandom"

port, prefix = ARGV
$stdout.sync = true
Dalli.logger = Logger.new(File::NULL)

def same(found, wanted, what)
  raise "#{what}: #{found.inspect[0, 60]}, not #{wanted.inspect[0, 60]}" unless found == wanted
end

def refused(what)
  done = begin
    yield
  rescue StandardError
    false
  end
  raise "#{what}: done" if done
end

set_and_get = lambda do |c, k|
  ["one", "", "three"].each do |value|
    same(!!c.set(k, value), true, "set")
    same(c.get(k), value, "get")
  end
end

checks = {
  "set and get" => set_and_get,
  "miss" => ->(c, k) { same(c.get(k), nil, "get") },
  "get many" => lambda do |c, k|
    wanted = (0...100).select(&:odd?).to_h { |i| ["#{k}#{i}", "v#{i}"] }
    wanted.each { |name, value| c.set(name, value) }
    same(c.get_multi((0...100).map { |i| "#{k}#{i}" }), wanted, "half of a hundred keys")
    same(c.get_multi("#{k}x", "#{k}y"), {}, "no hit")
  end,
  "add and replace" => lambda do |c, k|
    c.replace(k, "nothing")
    same(c.get(k), nil, "replace what is not there")
    same(!!c.add(k, "first"), true, "add")
    refused("add what is there") { c.add(k, "second") }
    same(!!c.replace(k, "third"), true, "replace")
    same(c.get(k), "third", "get")
  end,
  "append and prepend" => lambda do |c, k|
    c.set(k, "b", 0, raw: true)
    c.append(k, "c")
    c.prepend(k, "a")
    same(c.get(k, raw: true), "abc", "get")
  end,
  "incr and decr" => lambda do |c, k|
    refused("incr what is not there") { c.incr(k, 1) }
    c.set(k, 9, 0, raw: true)
    same(c.incr(k, 5), 14, "incr")
    same(c.decr(k, 4), 10, "decr")
    same(c.decr(k, 50), 0, "decr below 0")
  end,
  "cas" => lambda do |c, k|
    c.set(k, "one")
    same(!!c.cas(k) { |value| value + "two" }, true, "cas")
    same(c.get(k), "onetwo", "get")
    refused("cas of an old value") { c.cas(k) { |_| c.set(k, "three") && "four" } }
    same(c.get(k), "three", "get")
  end,
  "delete" => lambda do |c, k|
    c.set(k, "x")
    same(c.delete(k), true, "delete")
    same(c.get(k), nil, "get")
  end,
  "touch" => lambda do |c, k|
    c.set(k, "x")
    same(!!c.touch(k, 100), true, "touch")
    refused("touch what is not there") { c.touch("#{k}-not-there", 100) }
  end,
  "get and touch" => lambda do |c, k|
    c.set(k, "x")
    same(c.gat(k, 100), "x", "gat")
  end,
  "noreply" => lambda do |c, k|
    c.multi { 500.times { |i| c.set("#{k}#{i % 7}", "v#{i}") } }
    (493...500).each { |i| same(c.get("#{k}#{i % 7}"), "v#{i}", "get") }
  end,
  "objects" => lambda do |c, k|
    ["text \u20ac", 12_345, { "list" => [1, 2.5, nil, true], "long" => "x" * 5000 }].each do |value|
      c.set(k, value)
      same(c.get(k), value, "get")
    end
  end,
  "any bytes" => lambda do |c, k|
    bytes = (0..255).to_a.pack("C*") + "\r\nEND\r\nVALUE x 0 1\r\n\0\xff".b
    c.set(k, bytes, 0, raw: true)
    same(c.get(k, raw: true).b, bytes, "get")
  end,
  "900 KB" => lambda do |c, k|
    value = SecureRandom.bytes(900_000)
    c.set(k, value, 0, raw: true)
    same(c.get(k, raw: true).b == value, true, "get returns it")
  end,
  "250-byte key" => ->(c, k) { set_and_get.call(c, k.ljust(250, "k")) },
  "key too long" => ->(c, k) { set_and_get.call(c, k.ljust(251, "k")) },
  "after an error" => lambda do |c, k|
    c.set(k, "no number")
    3.times do
      refused("incr of what is no number") { c.incr(k, 1) }
      same(c.get(k), "no number", "get")
    end
  end,
  "expiry" => lambda do |c, k|
    c.set(k, "short", 1)
    limit = Time.now + 5
    until c.get(k).nil?
      raise "still there after 5 s" if Time.now > limit
      sleep 0.05
    end
  end,
  "version" => ->(c, _) { same(c.version.values.first.to_s.match?(/^\d+\.\d+/), true, "a version") },
  "stats" => ->(c, _) { same(c.stats.values.first&.key?("uptime"), true, "uptime is there") }
}

cache = Dalli::Client.new("127.0.0.1:#{port}", socket_timeout: 1, socket_max_failures: 0, down_retry_delay: 0)
puts JSON.generate(version: Dalli::VERSION)
checks.each do |name, run|
  line = { check: name, passed: true }
  begin
    run.call(cache, prefix + name.tr(" ", "-"))
  rescue StandardError => e
    line = { check: name, passed: false, what: e.message }
  end
  puts JSON.generate(line)
end
