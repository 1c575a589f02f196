// SPDX-License-Identifier: Apache-2.0
// A chat server with rooms. A client that reads too slowly loses lines, or is dropped; it slows nobody else.
// A client has two fibers: one reads its lines, the other writes what its room says. All share one thread.
//
//   chat [ADDRESS]               127.0.0.1:7001 unless given; try: nc 127.0.0.1 7001; ends on Ctrl-C

#include <weft/weft.hpp>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <map>
#include <set>

using namespace std::chrono_literals;

namespace {
constexpr std::size_t kNameSizeMax = 16, kLineSizeMax = 512, kRoomsMax = 1000, kLinesHeld = 64;
constexpr auto kWriteTimeout = 10s;  // for one line; a client that does not take it is dropped
using Hearing = weft::BroadcastSubscriber<std::string>;

struct Room {
  weft::BroadcastChannel<std::string> lines{kLinesHeld, weft::SlowSubscriber::kLosesOldest};
  std::set<std::string> names;
};
struct Chat {
  std::map<std::string, Room> rooms;
  std::set<std::string> names;
};

/// What one client alone is told, and the room that it hears from now on.
struct Note {
  std::string text;
  std::optional<Hearing> room = std::nullopt;
};

bool is_name(std::string_view text) {
  const auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  return !text.empty() && text.size() <= kNameSizeMax && std::all_of(text.begin(), text.end(), allowed);
}
/// Writes notes, and what is said in the room, until there are no more notes or the client takes no more.
void write(weft::net::Stream& stream, weft::Channel<Note>& notes, Hearing room) {
  std::string text;
  const auto hear = [&](weft::Result<std::shared_ptr<const std::string>> line) {
    if (line) text = **line;
    if (line.error() == weft::Errc::lagged) text = "* you read too slowly and have missed lines\n";
  };
  const auto take = [&](weft::Result<Note> note) {
    if (note) text = std::move(note->text);
    if (note && note->room) room = *std::move(note->room);
  };
  while (!notes.closed() || !notes.empty()) {
    text.clear();
    if (!weft::select_first(weft::receive(notes, take), weft::receive(room, hear))) break;
    const auto sent = stream.write_all_until(text, kWriteTimeout);
    text.erase(0, sent.bytes());
    if (!sent) break;
  }
  if (weft::this_fiber::cancel_requested()) {  // Ctrl-C: whole lines, and a word of farewell
    const weft::CancelShield shield(1s);
    std::ignore = stream.write_all(text + "* the server ends\n");
  }
  notes.close();
  std::ignore = stream.shutdown(weft::net::ShutdownMode::kBoth);  // ends the reading fiber, too
}

class Client {
 public:
  Client(Chat& chat, weft::net::TcpStream stream) : chat_(chat), stream_(std::move(stream)) {}
  ~Client() { leave(), chat_.names.erase(name_); }

  void serve() {
    while (name_.empty()) {
      if (!stream_.write_all_until("* your name? (up to 16 letters or digits)\n", kWriteTimeout)) return;
      const auto name = read();
      if (!name) return;
      if (is_name(*name) && chat_.names.insert(*name).second) name_ = *name;
    }
    weft::TaskGroup<void> writing;
    writing.spawn([this, lobby = enter("lobby")]() mutable { write(stream_, notes_, std::move(lobby)); });
    tell("* /join ROOM, /who, /quit; everything else is said to the room\n");
    auto line = read();
    while (line && *line != "/quit" && handle(*line)) line = read();
    if (line.error() == weft::Errc::message_too_large) tell("* that line is too long\n");
    notes_.close();
    std::ignore = writing.wait();
  }

 private:
  weft::Result<std::string> read() {
    const auto line = reader_.read_line({.size_max = kLineSizeMax});
    if (!line) return line.failure();
    std::string text(*line);
    std::erase_if(text, [](unsigned char c) { return c < ' ' || c == 127; });  // no tricks with terminals
    return text;
  }

  bool tell(std::string text) { return notes_.send({std::move(text)}).has_value(); }

  /// False: the client is gone.
  bool handle(const std::string& line) {
    Room& room = chat_.rooms.at(room_);
    if (line.starts_with("/join ") && is_name(line.substr(6))) {
      const bool exists = chat_.rooms.contains(line.substr(6));
      if (!exists && chat_.rooms.size() >= kRoomsMax) return tell("* there are too many rooms\n");
      if (line.substr(6) == room_) return true;
      return leave(),
             notes_.send({"* you are in " + line.substr(6) + "\n", enter(line.substr(6))}).has_value();
    }
    if (line.starts_with('/') && line != "/who") return tell("* that is no command, or no name of a room\n");
    if (line != "/who") return line.empty() || room.lines.send(name_ + ": " + line + "\n").has_value();
    std::string text = "* here:";
    for (const auto& name : room.names) text += " " + name;
    return tell(text + "\n");
  }

  Hearing enter(const std::string& name) {
    Room& room = chat_.rooms[room_ = name];
    room.names.insert(name_);
    Hearing hearing = room.lines.subscribe();
    std::ignore = room.lines.send("* " + name_ + " has come\n");  // never waits
    return hearing;
  }

  void leave() {
    const auto room = chat_.rooms.find(room_);
    if (room == chat_.rooms.end()) return;
    room->second.names.erase(name_);
    std::ignore = room->second.lines.send("* " + name_ + " has left\n");
    if (room->second.names.empty()) chat_.rooms.erase(room);
  }

  Chat& chat_;
  weft::net::TcpStream stream_;
  weft::io::BufferedReader reader_{stream_};
  weft::Channel<Note> notes_{16};
  std::string name_, room_;
};
}  // namespace

int main(int argc, char** argv) {
  return weft::run({.stop_on = {SIGINT, SIGTERM}}, [address = argc > 1 ? argv[1] : "127.0.0.1:7001"] {
    Chat chat;
    auto listener = weft::net::TcpListener::bind(address).value();
    std::printf("listening at %s\n", listener.local_name().c_str()), std::fflush(stdout);
    weft::TaskGroup<void> clients;
    while (auto stream = listener.accept())
      clients.spawn([&, stream = std::move(*stream)]() mutable { Client(chat, std::move(stream)).serve(); });
  });
}
