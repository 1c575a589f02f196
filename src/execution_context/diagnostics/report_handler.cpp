// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/report_handler.hpp"

namespace weft {
namespace {

constinit std::mutex list_lock;
constinit ReportLock* list = nullptr;  // guarded by list_lock

}  // namespace

ReportLock::ReportLock() noexcept {
  const std::scoped_lock lock(list_lock);
  next_ = std::exchange(list, this);
}

// With the list's lock, that none is added meanwhile.
void ReportLock::lock_all_for_fork() noexcept {
  list_lock.lock();
  for (ReportLock* each = list; each != nullptr; each = each->next_) each->lock_.lock();
}

void ReportLock::unlock_all_after_fork() noexcept {
  for (ReportLock* each = list; each != nullptr; each = each->next_) each->lock_.unlock();
  list_lock.unlock();
}

}  // namespace weft
