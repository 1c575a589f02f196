// SPDX-License-Identifier: Apache-2.0
// A failed execution, as a text: one line for each step.
#include "model/explorer/execution.hpp"

#include <cstdio>
#include <cstring>

namespace weft::model {
namespace {

const char* name_of(std::memory_order order) noexcept {
  switch (order) {
    case std::memory_order_acquire: return "acquire";
    case std::memory_order_release: return "release";
    case std::memory_order_acq_rel: return "acq_rel";
    case std::memory_order_seq_cst: return "seq_cst";
    default: return "relaxed";
  }
}

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof(text), value < 10 ? "%llu" : "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string describe(const Operation& operation, const std::string& name) {
  const std::string order = std::string(" ") + name_of(operation.order);
  switch (operation.action) {
    case Action::kLoad: {
      const int age = operation.newest - operation.store;
      return name + " is read: " + hex(operation.read) + order +
             (age == 0 ? "" : " (stale by " + std::to_string(age) + (age == 1 ? " store)" : " stores)"));
    }
    case Action::kStore: return name + " = " + hex(operation.written) + order;
    case Action::kModify: return name + ": " + hex(operation.read) + " -> " + hex(operation.written) + order;
    case Action::kCompareExchange:
      if (!operation.succeeded) return name + " is compared in vain: " + hex(operation.read) + order;
      return name + ": compared, " + hex(operation.read) + " -> " + hex(operation.written) + order;
    case Action::kFence: return "fence" + order;
    case Action::kSpin: return "spins on " + name;
    case Action::kLock: return "locks " + name;
    case Action::kTryLock: return (operation.succeeded ? "locks " : "finds locked: ") + name;
    case Action::kUnlock: return "unlocks " + name;
    case Action::kFutexWait:
      return (operation.succeeded ? "sleeps on " : "does not sleep on ") + name + ", which is " +
             hex(operation.read);
    case Action::kFutexResume: return operation.succeeded ? "is woken on " + name : "times out on " + name;
    case Action::kFutexWake: return "wakes " + hex(operation.written) + " on " + name;
    case Action::kSuspend: return "resumes";
    case Action::kEnqueue: return "enqueues " + name;
    case Action::kEnd: return name + " ends its life";
    case Action::kJoin: return "joins";
  }
  return {};
}

const char* base_name(const char* path) noexcept {
  const char* const slash = std::strrchr(path, '/');
  return slash == nullptr ? path : slash + 1;
}

}  // namespace

std::string Execution::trace() const {
  std::string text;
  for (const Step& step : steps_) {
    const Operation& operation = step.operation;
    const std::string name =
        operation.location == kNoLocation ? std::string() : memory_.name_of(operation.location);
    char line[320];
    std::snprintf(line, sizeof(line), "  %-12s %-58s %s:%u %s\n", threads_[step.thread].name.c_str(),
                  describe(operation, name).c_str(), base_name(operation.where.file), operation.where.line,
                  operation.where.function);
    text += line;
  }
  return text;
}

}  // namespace weft::model
