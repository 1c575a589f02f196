// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/symbol.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <dlfcn.h>
#include <iterator>
#include <memory>
#include <mutex>
#include <string_view>

#if WEFT_HAVE_LIBBACKTRACE
#include <backtrace.h>
#endif

namespace weft {
namespace {

/// One call: several of one address if calls were inlined, innermost first.
struct NamedFrame {
  std::string function;  ///< empty: unknown
  std::string file;      ///< empty: unknown
  int line = 0;
  std::string text;  ///< what is printed
};
using NamedFrames = std::vector<NamedFrame>;

struct Symbol {
  std::string name;
  std::uintptr_t start = 0;
};

struct Free {
  void operator()(char* text) const noexcept { std::free(text); }
};

std::string readable(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, Free> text(abi::__cxa_demangle(mangled, nullptr, nullptr, &status));
  std::string name = text ? text.get() : mangled;
  for (std::size_t tag; (tag = name.find("[abi:")) != name.npos;)
    name.erase(tag, name.find(']', tag) + 1 - tag);
  return name;
}

std::string hexadecimal(std::uintptr_t value) {
  char digits[24];
  std::snprintf(digits, sizeof(digits), "%#lx", static_cast<unsigned long>(value));
  return digits;
}

#if WEFT_HAVE_LIBBACKTRACE
void ignore_error(void*, const char*, int) {}

int add_line(void* frames, std::uintptr_t, const char* file, int line, const char* function) {
  if (file == nullptr) return 0;
  static_cast<NamedFrames*>(frames)->push_back(
      {.function = function == nullptr ? "" : readable(function), .file = file, .line = line, .text = ""});
  return 0;
}

void set_symbol(void* symbol, std::uintptr_t, const char* name, std::uintptr_t start, std::uintptr_t) {
  if (name != nullptr) *static_cast<Symbol*>(symbol) = {readable(name), start};
}

/// Kept for the life of the process: it holds what it has read.
backtrace_state* state() noexcept {
  static backtrace_state* const state = backtrace_create_state(nullptr, 1, ignore_error, nullptr);
  return state;
}

/// None without debug information.
NamedFrames lines_of(std::uintptr_t place) {
  NamedFrames frames;
  if (state() != nullptr) backtrace_pcinfo(state(), place, add_line, ignore_error, &frames);
  return frames;
}

Symbol symbol_of(std::uintptr_t place) {
  Symbol symbol;
  if (state() != nullptr) backtrace_syminfo(state(), place, set_symbol, ignore_error, &symbol);
  return symbol;
}
#else
NamedFrames lines_of(std::uintptr_t) { return {}; }

Symbol symbol_of(std::uintptr_t place) {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(place), &info) == 0 || info.dli_sname == nullptr) return {};
  return {readable(info.dli_sname), reinterpret_cast<std::uintptr_t>(info.dli_saddr)};
}
#endif

std::string text_without_line(std::uintptr_t address, std::uintptr_t place, const Symbol& symbol) {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(place), &info) == 0) return hexadecimal(address);
  const std::string in =
      symbol.name.empty() ? "" : symbol.name + " + " + hexadecimal(address - symbol.start) + ' ';
  const auto base = reinterpret_cast<std::uintptr_t>(info.dli_fbase);
  return in + '(' + info.dli_fname + " + " + hexadecimal(address - base) + ')';
}

/// `place` is within the instruction that is meant, `address` what was found on the stack.
void add_frames(std::uintptr_t address, std::uintptr_t place, NamedFrames& frames) {
  NamedFrames lines = lines_of(place);
  const Symbol symbol = symbol_of(place);
  if (lines.empty()) return frames.push_back({symbol.name, "", 0, text_without_line(address, place, symbol)});
  // The outermost is the function that the others were inlined in; its symbol tells namespace and arguments.
  if (!symbol.name.empty()) lines.back().function = symbol.name;
  for (NamedFrame& frame : lines) {
    const std::string_view name = frame.function.empty() ? "?" : std::string_view(frame.function);
    frame.text = std::string(name) + " at " + frame.file + ':' + std::to_string(frame.line);
    frames.push_back(std::move(frame));
  }
}

/// Where the name of a demangled function begins: templates have the type that they return before it.
std::string_view qualified_name(std::string_view function) noexcept {
  constexpr std::string_view kAnonymous = "(anonymous namespace)";
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < function.size(); ++i) {
    const char letter = function[i];
    if (depth == 0 && function.substr(i).starts_with(kAnonymous)) {
      i += kAnonymous.size() - 1;
    } else if (letter == '<' || letter == '{') {
      ++depth;
    } else if (letter == '>' || letter == '}') {
      --depth;
    } else if (depth == 0 && letter == '(') {
      break;
    } else if (depth == 0 && letter == ' ') {
      begin = i + 1;
    }
  }
  return function.substr(begin);
}

/// "/a/b/../c" as "/a/c"; what leads out of a relative path stays.
std::string normal_path(std::string_view path) {
  std::string normal;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/') + 1);  // all of it, without a slash
    const std::string_view piece = part.empty() ? path : part;
    path.remove_prefix(piece.size());
    const std::size_t parent = normal.size() < 2 ? normal.npos : normal.rfind('/', normal.size() - 2) + 1;
    const bool goes_up = piece == "../" && parent != normal.npos &&
                         std::string_view(normal).substr(parent) != "../" && normal != "/";
    goes_up ? normal.resize(parent) : static_cast<void>(normal.append(piece));
  }
  return normal;
}

/// Of this library, or what the standard library puts between it and the program. By the file where it is
/// known: a program may have names that begin like the library's.
bool is_own(const NamedFrame& frame) {
  const std::string_view name = qualified_name(frame.function);
  if (name.starts_with("weft_context_")) return true;
  if (!frame.file.empty()) return frame.file.starts_with("/usr/include/") || in_own_sources(frame.file);
  // What a fiber runs may have become a part of this instantiation.
  if (name.starts_with("weft::detail::FiberBox<")) return false;
  return name.starts_with("weft::") || name.starts_with("std::");
}

/// The frames from the program's innermost call into the library to its outermost function.
std::span<const NamedFrame> without_own(std::span<const NamedFrame> frames) {
  std::size_t begin = 0;
  while (begin < frames.size() && is_own(frames[begin])) ++begin;
  if (begin == frames.size()) return frames;
  std::size_t end = frames.size();
  while (is_own(frames[end - 1])) --end;
  if (begin != 0) --begin;  // what it called
  return frames.subspan(begin, end - begin);
}

/// libbacktrace orders its threads by means that TSan does not see; nobody is in a hurry here.
std::mutex& one_at_a_time() noexcept {
  static constinit std::mutex lock;
  return lock;
}

NamedFrames named(std::span<void* const> addresses, InnermostFrame innermost) {
  const std::scoped_lock lock(one_at_a_time());
  NamedFrames frames;
  bool exact = innermost == InnermostFrame::kExact;
  for (void* const address : addresses) {
    const auto value = reinterpret_cast<std::uintptr_t>(address);
    add_frames(value, exact || value == 0 ? value : value - 1, frames);
    exact = false;
  }
  return frames;
}

std::vector<std::string> texts_of(std::span<const NamedFrame> frames) {
  std::vector<std::string> lines;
  for (const NamedFrame& frame : without_own(frames)) lines.push_back(frame.text);
  return lines;
}

}  // namespace

// A compiler cache may have made the path relative, of this file or that one.
bool in_own_sources(std::string_view file) {
  constexpr std::string_view kThisFile = __FILE__;
  constexpr std::string_view kSources = kThisFile.substr(0, kThisFile.rfind("execution_context/"));
  constexpr std::string_view kRelative = "../src/";
  const std::string path = normal_path(file);
  std::string_view sources = kSources;
  std::size_t found = path.find(sources);
  if (found == path.npos && path.starts_with("../")) found = path.rfind(sources = kRelative);
  if (found == path.npos) return path.find("include/weft/") != path.npos;
  if (path.ends_with("_test.cpp")) return false;
  const std::string_view inside = std::string_view(path).substr(found + sources.size());
  constexpr std::string_view kLayers[] = {"base/", "sys/", "fiber/", "event_loop/", "execution_context/",
                                          "sync/", "net/", "http/"};
  return std::any_of(std::begin(kLayers), std::end(kLayers),
                     [&](std::string_view layer) { return inside.starts_with(layer); });
}

void lock_backtraces_for_fork() noexcept { one_at_a_time().lock(); }
void unlock_backtraces_after_fork() noexcept { one_at_a_time().unlock(); }

std::vector<std::string> describe_backtrace(std::span<void* const> addresses, InnermostFrame innermost) {
  return texts_of(named(addresses, innermost));
}

CallerDescription describe_caller(std::span<void* const> addresses) {
  const NamedFrames frames = named(addresses, InnermostFrame::kReturnAddress);
  CallerDescription caller{.place = "", .frames = texts_of(frames)};
  const auto call =
      std::find_if(frames.begin(), frames.end(), [](const NamedFrame& frame) { return !is_own(frame); });
  if (call == frames.end()) return caller;
  caller.place = call->file.empty() ? call->text : call->file + ':' + std::to_string(call->line);
  return caller;
}

}  // namespace weft
