// SPDX-License-Identifier: Apache-2.0
#pragma once

// Children of fork() for the tests of it: what they do, how they end, and what they say.

#include "stranger/stranger.hpp"

#include <cerrno>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#ifndef WITH_TSAN
#define WITH_TSAN 0
#endif

// ThreadSanitizer ends a child of a process with threads when it starts a thread of its own.
#define SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS() \
  if (WITH_TSAN) GTEST_SKIP() << "ThreadSanitizer: no threads in a child of a process that has some"

// It turns itself off in such a child, but only for the fiber that called fork(). It still watches the stack
// on which reports are made, and has not seen there who gave which lock back.
#define SKIP_IF_REPORTS_OF_CHILDREN_ARE_WATCHED() \
  if (WITH_TSAN) GTEST_SKIP() << "ThreadSanitizer: off in a child for one of its stacks only"

namespace stranger {

/// How a child ended, and what it wrote to standard error.
struct Child {
  int status = 0;
  std::string text;

  int exit_code() const { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }
  bool aborted_with(std::string_view words) const {
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && text.find(words) != std::string::npos;
  }
};

/// What comes until the end, which closes the file.
inline std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR);)
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  return text;
}

/// Runs `body` in a child, which ends with what it returns. Blocks the thread.
inline Child in_child(const std::function<int()>& body) {
  int pipe[2];
  EXPECT_EQ(::pipe(pipe), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::alarm(30);  // a child that hangs is a failure, not a hanging test
    ::dup2(pipe[1], STDERR_FILENO);
    ::close(pipe[0]);
    ::close(pipe[1]);
    ::_exit(body());
  }
  ::close(pipe[1]);
  Child child;
  child.text = read_all(pipe[0]);
  while (::waitpid(pid, &child.status, 0) < 0 && errno == EINTR) {}
  return child;
}

}  // namespace stranger
