// SPDX-License-Identifier: Apache-2.0
// A key-value server that speaks RESP, the protocol of redis: pipelines, keys that expire, limits on sizes.
// All fibers share one thread, and none suspends while it executes a command: the store needs no lock.
//   key_value [ADDRESS]          127.0.0.1:6379 unless given; try: redis-cli set greeting hello ex 60

#include <weft/weft.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <sstream>
#include <unordered_map>

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Size = weft::Result<std::size_t>;
namespace {
constexpr long kWordsMax = 1024, kCommandSizeMax = 1 << 20, kTimeMax = 1'000'000'000;
constexpr std::size_t kLineMax = 1 << 12, kReplySizeMax = 1 << 23, kReplySizeHeld = 1 << 18;
constexpr auto kNever = Clock::time_point::max();
struct Value {
  std::string text;
  Clock::time_point expires = kNever;
  bool expired() const { return expires != kNever && expires <= Clock::now(); }
};
using Store = std::unordered_map<std::string, Value>;
long number_in(std::string_view word, long least, long most) {
  long number = 0;
  const auto [end, error] = std::from_chars(word.begin(), word.end(), number);
  if (error == std::errc() && end == word.end() && number >= least && number <= most) return number;
  throw std::range_error("value is not an integer or out of range");
}
/// A connection. It reads from itself: whenever it has to wait for commands, it sends the replies first.
struct Client final : weft::io::Reader {
  Client(Store& store, weft::net::TcpStream stream) : store_(store), stream_(std::move(stream)) {}
  void serve() try {
    while (replies_.size() < kReplySizeHeld || stream_.write_all_until(std::exchange(replies_, {}), 30s)) {
      const auto line = reader_.read_line({.size_max = kLineMax});
      if (!line && line.error() != weft::Errc::message_too_large) return;  // the client is gone, or Ctrl-C
      read_command(line.value());
      if (!words_.empty()) execute(words_.size());
    }
  } catch (const std::exception& error) {
    reply("-ERR the connection ends: ", error.what());
    std::ignore = stream_.write_all_until(replies_, 30s);
  }
  Size read_some_until(weft::MutableBuffer to, weft::Deadline) override { return exchange(to); }
  Size read_some_until(weft::BufferSource& to, weft::Deadline) override { return exchange(to); }
  weft::Result<void> wait_readable(weft::Deadline until) override { return stream_.wait_readable(until); }
  Size exchange(auto& to) {
    const auto limit = weft::Deadline::after_coarsely(30s);
    const auto size = stream_.write_then_read_some_until(replies_, to, {.write = limit});
    return replies_.clear(), size;
  }
  /// Reads the rest of a command into words_: an array of strings, or the words of its first line.
  void read_command(std::string_view line) {
    if (!line.starts_with('*')) {
      std::istringstream words{std::string(line)};
      return words_.assign(std::istream_iterator<std::string>(words), {});
    }
    words_.resize(static_cast<std::size_t>(number_in(line.substr(1), 0, kWordsMax)));
    for (long left = kCommandSizeMax; std::string & word : words_) {
      const auto head = reader_.read_line({.size_max = 16}).value();
      const long size = number_in(head.starts_with('$') ? head.substr(1) : "", 0, left);
      const auto bytes = reader_.read_exactly(static_cast<std::size_t>(size) + 2).value();
      if (!bytes.ends_with("\r\n")) throw std::invalid_argument("expected the end of a string");
      word = bytes.substr(0, bytes.size() - 2), left -= size;
    }
  }
  Value* get(const std::string& key) {
    const auto found = store_.find(key);
    if (found == store_.end()) return nullptr;
    return found->second.expired() ? (store_.erase(found), nullptr) : &found->second;
  }
  void reply(std::string_view type, std::string_view rest = "") { ((replies_ += type) += rest) += "\r\n"; }
  void number(long value, std::string_view type = ":") { reply(type, std::to_string(value)); }
  void bulk(std::string_view bytes) { reply("$", std::to_string(bytes.size())), reply(bytes); }
  void bulk(const Value* value) { value != nullptr ? bulk(value->text) : reply("$-1"); }
  void execute(std::size_t size) try {
    const auto is = [&](std::string_view name, std::size_t least, std::size_t most = kWordsMax) {
      return size >= least && size <= most && weft::http::equals_ignoring_case(words_[0], name);
    };
    const auto count = [&](auto f) { number(std::count_if(words_.begin() + 1, words_.end(), f)); };
    Value* const value = size > 1 ? get(words_[1]) : nullptr;
    if (is("GET", 2, 2)) return bulk(value);
    if (is("SET", 3)) return set(value);
    if (is("PING", 1, 2)) return size == 1 ? reply("+PONG") : bulk(words_[1]);
    if (is("ECHO", 2, 2)) return bulk(words_[1]);
    if (is("DEL", 2)) return count([&](auto& key) { return get(key) && store_.erase(key); });
    if (is("EXISTS", 2)) return count([&](auto& key) { return get(key); });
    if (is("DBSIZE", 1, 1)) return number(static_cast<long>(store_.size()));
    if (is("FLUSHALL", 1, 2)) return store_.clear(), reply("+OK");
    if (is("COMMAND", 1)) return reply("*0");
    if (is("CONFIG", 3, 3)) return reply("*2"), bulk(words_[2]), bulk("");
    if (is("INCR", 2, 2)) {
      const long next = number_in(value ? value->text : "0", LONG_MIN, LONG_MAX - 1) + 1;
      return (value ? *value : store_[words_[1]]).text = std::to_string(next), number(next);
    }
    if (is("EXPIRE", 3, 3)) {
      const auto expires = Clock::now() + std::chrono::seconds(number_in(words_[2], -kTimeMax, kTimeMax));
      return value ? (value->expires = expires, number(1)) : number(0);
    }
    if (is("TTL", 2, 2) && (!value || value->expires == kNever)) return number(value ? -1 : -2);
    if (is("TTL", 2, 2)) return number((value->expires - Clock::now() + 500ms) / 1s);
    if (is("MSET", 3) && size % 2 == 1) {
      for (std::size_t i = 1; i < size; i += 2) store_[words_[i]] = {words_[i + 1]};
      return reply("+OK");
    }
    if (!is("MGET", 2)) return reply("-ERR unknown command, or wrong number of arguments");
    number(static_cast<long>(size) - 1, "*");
    for (std::size_t i = 1; i < size; ++i) {
      if (replies_.size() > kReplySizeMax) throw std::length_error("too large a reply");
      bulk(get(words_[i]));
    }
  } catch (const std::range_error& error) {
    reply("-ERR ", error.what());
  }
  void set(Value* old) {
    auto expires = kNever;
    for (std::size_t i = 3; i < words_.size(); ++i) {
      const auto is = [&](auto name) { return weft::http::equals_ignoring_case(words_[i], name); };
      if (is("NX") && old != nullptr) return reply("$-1");
      if (is("NX")) continue;
      if ((!is("EX") && !is("PX")) || i + 1 == words_.size()) return reply("-ERR syntax error");
      expires = Clock::now() + (is("EX") ? 1000ms : 1ms) * number_in(words_[i + 1], 1, kTimeMax), ++i;
    }
    (old ? *old : store_[words_[1]]) = {std::move(words_[2]), expires};
    reply("+OK");
  }
  Store& store_;
  weft::net::TcpStream stream_;
  weft::io::BufferedReader reader_{*this, 1 << 14};
  std::string replies_;
  std::vector<std::string> words_;
};
}  // namespace

int main(int argc, char** argv) {
  return weft::run({.stop_on = {SIGINT, SIGTERM}}, [address = argc > 1 ? argv[1] : "127.0.0.1:6379"] {
    Store store;
    auto listener = weft::net::TcpListener::bind(address).value();
    std::printf("listening at %s\n", listener.local_name().c_str()), std::fflush(stdout);
    weft::TaskGroup<void> fibers;
    fibers.spawn([&] {
      while (weft::sleep(10s)) std::erase_if(store, [](auto& entry) { return entry.second.expired(); });
    });
    while (auto stream = listener.accept())
      fibers.spawn([&, stream = std::move(*stream)]() mutable { Client(store, std::move(stream)).serve(); });
  });
}
