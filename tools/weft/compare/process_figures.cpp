// SPDX-License-Identifier: Apache-2.0
#include "process_figures.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

namespace weft::tool::compare {
namespace {

std::string path_of(pid_t pid, const char* file) { return "/proc/" + std::to_string(pid) + "/" + file; }

/// The number behind `name:` in a file of such lines; 0 if there is none.
std::uint64_t field(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  std::uint64_t value = 0;
  while (file >> word) {
    if (word == name + ":" && file >> value) return value;
  }
  return 0;
}

}  // namespace

std::int64_t cpu_ns_of(pid_t pid) noexcept {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::uint64_t writes_of(pid_t pid) { return field(path_of(pid, "io"), "syscw"); }

std::uint64_t resident_bytes_of(pid_t pid) { return field(path_of(pid, "status"), "VmRSS") * 1024; }

bool all_traced(pid_t pid) {
  std::error_code error;
  bool traced = true;
  for (const auto& task : std::filesystem::directory_iterator(path_of(pid, "task"), error)) {
    traced = traced && field(task.path().string() + "/status", "TracerPid") != 0;
  }
  return traced && !error;
}

}  // namespace weft::tool::compare
