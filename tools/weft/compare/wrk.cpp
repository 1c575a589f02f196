// SPDX-License-Identifier: Apache-2.0
#include "wrk.hpp"

#include "process_figures.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace weft::tool::compare {
namespace {

constexpr const char* kMark = "weft-latencies";

// wrk's own report ends at p99.
constexpr const char* kScript = R"(
done = function(summary, latency)
  local errors = summary.errors
  print(string.format("weft-latencies %d %d %d %d %d", latency:percentile(50), latency:percentile(99),
                      latency:percentile(99.9), summary.requests,
                      errors.connect + errors.read + errors.write + errors.status))
end
)";

/// The script as a file that wrk can open by a name, for as long as the object lives.
class ScriptFile {
 public:
  ScriptFile() : fd_(memfd_create("script", MFD_CLOEXEC)) {
    const auto size = static_cast<ssize_t>(std::strlen(kScript));
    if (fd_ < 0 || write(fd_, kScript, std::strlen(kScript)) != size)
      throw std::runtime_error("no memory for wrk's script");
  }
  ScriptFile(const ScriptFile&) = delete;
  ScriptFile& operator=(const ScriptFile&) = delete;
  ~ScriptFile() { close(fd_); }

  std::string path() const { return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

Launch launch_of(const WrkOptions& options, const std::vector<std::string>& more = {}) {
  Launch launch{{"wrk", "-t1", "-c" + std::to_string(options.connections), "-d100h"}};
  if (options.close) launch.arguments.insert(launch.arguments.end(), {"-H", "Connection: close"});
  launch.arguments.insert(launch.arguments.end(), more.begin(), more.end());
  launch.arguments.push_back(options.url);
  launch.cpus = options.cpus;
  return launch;
}

}  // namespace

void require_wrk() {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((std::filesystem::path(folder) / "wrk").c_str(), X_OK) == 0) return;
  }
  throw std::runtime_error(
      "wrk, which drives the servers, is not on PATH; Debian has it: apt-get install wrk");
}

Latencies parse_latencies(const std::string& output) {
  const std::size_t mark = output.find(kMark);
  std::istringstream line(mark == output.npos ? "" : output.substr(mark + std::strlen(kMark)));
  Latencies latencies;
  if (!(line >> latencies.p50_us >> latencies.p99_us >> latencies.p999_us >> latencies.requests >>
        latencies.errors))
    throw std::runtime_error("wrk did not report: " + output);
  return latencies;
}

Latencies measure_latencies(const WrkOptions& options, double seconds) {
  const ScriptFile script;
  ChildProcess wrk(launch_of(options, {"-s", script.path()}));
  sleep_seconds(seconds);
  wrk.send_signal(SIGINT);
  if (!wait_until(20, [&] { return wrk.poll().has_value(); })) throw std::runtime_error("wrk does not stop");
  return parse_latencies(wrk.output() + wrk.error_output());
}

PausableLoad::PausableLoad(const WrkOptions& options) : wrk_(launch_of(options)) {
  const bool running = wait_until(10, [&] { return requests() >= 2 * options.connections || !alive(); });
  if (!running || !alive())
    throw std::runtime_error("wrk gets no answers: " + wrk_.output() + wrk_.error_output());
  pause();
}

void PausableLoad::resume() const noexcept { wrk_.send_signal(SIGCONT); }
void PausableLoad::pause() const noexcept { wrk_.send_signal(SIGSTOP); }
std::int64_t PausableLoad::cpu_ns() const noexcept { return cpu_ns_of(wrk_.pid()); }
std::uint64_t PausableLoad::writes_of_load() const { return writes_of(wrk_.pid()); }

}  // namespace weft::tool::compare
