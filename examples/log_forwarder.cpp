// SPDX-License-Identifier: Apache-2.0
// Sends the lines of log files to a TCP collector, follows files that are rotated or truncated, like tail -F.
//   log_forwarder COLLECTOR STATE FILE...                    try: log_forwarder 127.0.0.1:7000 state *.log
// A line is done when the collector's kernel has acknowledged it. Others are sent again: after a broken
// connection, and at the next start, with those done since STATE was saved (each second, and on Ctrl-C).
// Lost: what the collector did not read before it died; files that were rotated twice while this did not run.

#include <weft/weft.hpp>

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <cstdio>
#include <deque>
#include <map>
#include <optional>
#include <sstream>

using namespace std::chrono_literals;
namespace {
constexpr std::size_t kLineMax = 64 * 1024;  // longer lines are cut into pieces
struct Position {
  std::uint64_t inode = 0, offset = 0;
};
struct Line {
  std::string path, text;
  Position end;
  std::uint64_t sent_at = 0;  // in bytes of this connection
};

void warn(const std::string& text) { std::fprintf(stderr, "log_forwarder: %s\n", text.c_str()); }

/// Where the file is now that was at `path`: still there, or rotated. `path` if that is unknown.
std::string find_file(const std::string& path, const Position& at) {
  for (const std::string& name : {path, path + ".1"})
    if (const auto status = weft::fs::status(name); status && status->inode == at.inode) return name;
  return path;
}

/// All fibers run on one thread, so what they share needs no lock.
struct Forwarder {
  std::string collector, state;
  std::map<std::string, Position> done = {};
  bool changed = false;
  weft::Channel<Line> lines{256};  // a file is not read while it is full

  bool load() {
    const auto text = weft::fs::read_file(state, 1 << 20);
    if (!text && text.error() != std::errc::no_such_file_or_directory) return warn(text.message()), false;
    std::istringstream in(text.value_or(""));
    std::string path;
    for (Position at; in >> at.inode >> at.offset && std::getline(in >> std::ws, path);) done[path] = at;
    return in.eof() || (warn(state + " is damaged"), false);
  }

  void save() {
    if (!std::exchange(changed, false)) return;
    std::ostringstream text;
    for (const auto& [path, at] : done) text << at.inode << ' ' << at.offset << ' ' << path << '\n';
    const auto written = weft::fs::write_file(state, text.str());
    if (!written) changed = true, warn(written.message());
  }

  /// Takes the whole lines that are there. Errors of the disk are tried again.
  void take_lines(const std::string& path, weft::io::BufferedReader& reader, Position& at) {
    for (;;) {
      const auto line = reader.read_delimited("\n", kLineMax);
      const bool huge = line.error() == weft::Errc::message_too_large;
      if (!line && !huge) return;
      const std::string text(huge ? reader.buffer().substr(0, kLineMax) : *line);
      if (huge) reader.consume(kLineMax);
      at.offset += text.size() + (huge ? 0 : 1);
      if (!lines.send({path, text + '\n', at})) return;
    }
  }

  /// Follows the file at `path`, and those that take its place, until it is cancelled.
  void follow(const std::string& path, Position at) {
    for (weft::Ticker ticker(50ms); ticker.tick();) {
      auto file = weft::fs::File::open(find_file(path, at));
      if (!file) continue;  // it is not there yet, or not any more
      const auto status = file->status();
      if (!status) continue;
      at = {status->inode, status->inode == at.inode && at.offset <= status->size ? at.offset : 0};
      file->set_position(at.offset);
      weft::io::BufferedReader reader(*file);
      bool replaced = false;
      while (take_lines(path, reader, at), !replaced && ticker.tick()) {
        const auto here = file->status(), there = weft::fs::status(path);
        if (here && here->size < at.offset + reader.buffered()) break;  // truncated
        replaced = there && there->inode != at.inode;
      }
      if (replaced && reader.buffered() > 0)  // its last line has no end
        std::ignore = lines.send({path, std::string(reader.buffer()) + '\n', at});
      at = {};
    }
  }

  /// Sends lines until the connection breaks, or Ctrl-C. Those of `window` are not acknowledged yet.
  void send_to(weft::net::TcpStream& stream, std::deque<Line>& window) {
    std::uint64_t sent = 0;
    std::string text;
    const auto acknowledge = [&] {
      int outstanding = 0;  // bytes that the collector's kernel has not acknowledged
      if (ioctl(stream.native_handle(), SIOCOUTQ, &outstanding) != 0) return;
      const std::uint64_t acknowledged = sent - static_cast<unsigned>(outstanding);
      for (; !window.empty() && window.front().sent_at <= acknowledged; window.pop_front())
        changed = true, done[window.front().path] = window.front().end;
    };
    for (Line& line : window) text += line.text, line.sent_at = text.size();
    std::optional<weft::net::PeerScope> connected(std::in_place, stream);
    for (weft::Result<Line> line = weft::Errc::timed_out; line.error() != weft::Errc::cancelled;) {
      const auto written = stream.write_all(text);
      sent += written.bytes();
      if (!written) break;
      acknowledge();
      for (text.clear(), line = lines.receive_until(50ms); line; line = lines.try_receive()) {
        text += line->text, line->sent_at = sent + text.size();
        window.push_back(std::move(*line));
      }
    }
    connected.reset();
    if (!weft::this_fiber::cancel_requested()) return;
    const weft::CancelShield shield(1s);
    while (!window.empty() && weft::sleep(10ms)) acknowledge();
  }

  int run(std::span<char*> paths) {
    if (!load()) return 1;
    weft::TaskGroup<void> fibers;
    for (const char* path : paths) fibers.spawn([this, path] { follow(path, done[path]); });
    fibers.spawn([this, window = std::deque<Line>()]() mutable {
      for (auto pause = 50ms; weft::sleep(pause); pause = std::min(pause * 2, 5'000ms)) {
        auto stream = weft::net::connect(collector, 10s);
        stream ? send_to(*stream, window) : warn(stream.message());
        if (stream) pause = 50ms;
      }
    });
    for (weft::Ticker ticker(1s); ticker.tick();) save();
    std::ignore = fibers.wait();
    return weft::shield([this] { return save(), 0; }, 5s);
  }
};
}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return std::fputs("usage: log_forwarder COLLECTOR STATE FILE...\n", stderr), 2;
  Forwarder forwarder{argv[1], argv[2]};
  return weft::run({.stop_on = {SIGINT, SIGTERM}}, [&] { return forwarder.run({argv + 3, argv + argc}); });
}
