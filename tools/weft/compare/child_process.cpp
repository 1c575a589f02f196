// SPDX-License-Identifier: Apache-2.0
#include "child_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weft::tool::compare {
namespace {

int memory_file(const char* name) {
  const int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) throw std::runtime_error(std::string("memfd_create: ") + std::strerror(errno));
  // What a program opens anew, and what it inherits, go on at the end.
  fcntl(fd, F_SETFL, O_APPEND);
  return fd;
}

std::string contents(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = pread(fd, buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0)
    text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

void pin(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(static_cast<std::size_t>(cpu), &set);
  sched_setaffinity(0, sizeof set, &set);  // refused: it runs where it may
}

/// In the child: `failure` gets errno if the program cannot be started, and is closed if it can.
[[noreturn]] void become(const Launch& launch, char** arguments, int output, int error_output, int failure) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pin(launch.cpus);
  for (const auto& [name, value] : launch.environment) setenv(name.c_str(), value.c_str(), 1);
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
  dup2(output, 1);
  dup2(error_output, 2);
  execvp(arguments[0], arguments);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(failure, &error, sizeof error);
  _exit(127);
}

int shell_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

}  // namespace

ChildProcess::ChildProcess(const Launch& launch) {
  std::vector<char*> arguments;
  for (const std::string& argument : launch.arguments)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  output_ = memory_file("output");
  error_output_ = memory_file("error output");
  int failure[2];
  if (pipe2(failure, O_CLOEXEC) != 0) throw std::runtime_error(std::string("pipe2: ") + std::strerror(errno));
  pid_ = fork();
  if (pid_ == 0) become(launch, arguments.data(), output_, error_output_, failure[1]);
  close(failure[1]);
  int error = pid_ < 0 ? errno : 0;
  if (pid_ > 0 && read(failure[0], &error, sizeof error) > 0) wait();
  close(failure[0]);
  if (error == 0) return;
  close(output_);
  close(error_output_);
  throw std::runtime_error(launch.arguments[0] + " cannot be started: " + std::strerror(error));
}

ChildProcess::~ChildProcess() {
  send_signal(SIGKILL);
  wait();
  close(output_);
  close(error_output_);
}

void ChildProcess::send_signal(int number) const noexcept {
  if (!status_) kill(pid_, number);
}

std::optional<int> ChildProcess::poll() {
  int status = 0;
  if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_) status_ = shell_status(status);
  return status_;
}

int ChildProcess::wait() {
  int status = 0;
  while (!status_) {
    if (waitpid(pid_, &status, 0) == pid_)
      status_ = shell_status(status);
    else if (errno != EINTR)
      status_ = 127;
  }
  return *status_;
}

std::string ChildProcess::output() const { return contents(output_); }
std::string ChildProcess::error_output() const { return contents(error_output_); }

void sleep_seconds(double seconds) {
  const std::int64_t end_ns = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  timespec end{};
  end.tv_sec = end_ns / 1'000'000'000;
  end.tv_nsec = end_ns % 1'000'000'000;
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) == EINTR) {}
}

std::int64_t now_ns() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

}  // namespace weft::tool::compare
