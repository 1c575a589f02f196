// SPDX-License-Identifier: Apache-2.0
// What is done with simulated files that are open.
#include "event_loop/sim/sim_files.hpp"

#include "base/clock.hpp"
#include "event_loop/sim/sim_options.hpp"
#include "sys/fault.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <limits>
#include <utility>

namespace weft {
namespace {

using FileKind = sys::FileRequest::Kind;

bool can_read(unsigned flags) noexcept { return (flags & O_ACCMODE) != O_WRONLY; }
bool can_write(unsigned flags) noexcept { return (flags & O_ACCMODE) != O_RDONLY; }

std::size_t size_of(const sys::FileRequest& request) noexcept {
  std::size_t size = 0;
  for (int i = 0; i < request.count; ++i) size += request.buffers[i].iov_len;
  return size;
}

}  // namespace

SimFiles::SimFiles(const SimOptions& options)
    : descriptors_max_(options.descriptors_max),
      disk_size_max_(options.disk_size_max),
      latency_min_ns_(options.disk_latency_min_ns),
      latency_max_ns_(std::max(options.disk_latency_min_ns, options.disk_latency_max_ns)),
      short_counts_percent_(options.short_counts_percent),
      random_(SimRandom::mixed(options.seed)) {
  root_ = make_node_locked(true, 0755);
  const std::shared_ptr<Node> temporary = make_node_locked(true, 01777);
  temporary->around = root_;
  root_->names.emplace("tmp", temporary);
}

std::int64_t SimFiles::next_latency_ns() {
  const std::scoped_lock hold(mutex_);
  const auto range = static_cast<std::uint64_t>(latency_max_ns_ - latency_min_ns_);
  return latency_min_ns_ + (range == 0 ? 0 : static_cast<std::int64_t>(random_.below(range + 1)));
}

long SimFiles::call(const sys::FileRequest& request) {
  const sys::Fault fault = sys::intercept(sys::call_of(request.kind), request.fd);
  const std::scoped_lock hold(mutex_);
  const bool closes = request.kind == FileKind::kClose;
  if (fault.error != 0 && !closes) return -fault.error;
  const long answer = call_locked(request, fault.size_max);
  return fault.error != 0 ? -fault.error : answer;
}

long SimFiles::call_locked(const sys::FileRequest& request, std::size_t size_max) {
  switch (request.kind) {
    case FileKind::kOpen: return open_locked(request);
    case FileKind::kMakeDirectory: return make_directory_locked(request);
    case FileKind::kRemove: return remove_locked(request);
    case FileKind::kRename: return rename_locked(request);
    case FileKind::kStatus: return status_locked(request);
    default: break;
  }
  const auto open = open_.find(request.fd);
  if (open == open_.end()) return -EBADF;
  if (request.kind != FileKind::kClose) return call_open_locked(open->second, request, size_max);
  lock_locked(open->second, Lock::kNone);
  const std::shared_ptr<Node> node = std::move(open->second.node);
  open_.erase(open);
  // The last one to have it, and it has no name.
  if (node->links == 0 && node.use_count() == 1) used_ -= node->content.size();
  return 0;
}

long SimFiles::call_open_locked(Open& open, const sys::FileRequest& request, std::size_t size_max) {
  switch (request.kind) {
    case FileKind::kRead: return read_locked(open, request, size_max);
    case FileKind::kWrite: return write_locked(open, request, size_max);
    case FileKind::kReadDirectory: return read_directory_locked(open, request);
    case FileKind::kSync:
    case FileKind::kSyncData: return 0;
    case FileKind::kChangeMode: return open.node->mode = request.mode & 07777u, 0;
    case FileKind::kTryLock: return lock_locked(open, request.flags != 0 ? Lock::kShared : Lock::kAlone);
    case FileKind::kUnlock: return lock_locked(open, Lock::kNone);
    case FileKind::kRewind: return open.last_name.clear(), open.at_end = false, 0;
    case FileKind::kTruncate:
      if (!can_write(open.flags) || request.offset < 0) return -EINVAL;
      return resize_locked(*open.node, static_cast<std::uint64_t>(request.offset));
    default: return -EXDEV;  // copying between files: through memory
  }
}

long SimFiles::read_locked(const Open& open, const sys::FileRequest& request, std::size_t size_max) {
  if (!can_read(open.flags)) return -EBADF;
  if (open.node->is_directory) return -EISDIR;
  if (request.offset < 0) return -EINVAL;
  const std::string& content = open.node->content;
  const auto begin = std::min(static_cast<std::size_t>(request.offset), content.size());
  std::size_t size = std::min({content.size() - begin, size_of(request), size_max});
  if (size != 0 && random_.chance(short_counts_percent_)) size = 1 + random_.below(size);
  std::size_t moved = 0;
  for (int i = 0; i < request.count && moved < size; ++i) {
    const std::size_t part = std::min(request.buffers[i].iov_len, size - moved);
    std::memcpy(request.buffers[i].iov_base, content.data() + begin + moved, part);
    moved += part;
  }
  return static_cast<long>(moved);
}

long SimFiles::write_locked(const Open& open, const sys::FileRequest& request, std::size_t size_max) {
  if (!can_write(open.flags)) return -EBADF;
  if (request.offset < 0) return -EINVAL;
  Node& node = *open.node;
  const std::size_t begin =
      (open.flags & O_APPEND) != 0 ? node.content.size() : static_cast<std::size_t>(request.offset);
  std::size_t size = std::min(size_of(request), size_max);
  if (size != 0 && random_.chance(short_counts_percent_)) size = 1 + random_.below(size);
  const std::uint64_t room = disk_size_max_ - used_ + node.content.size();
  if (begin >= room) return -ENOSPC;
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, room - begin));
  if (begin + size > node.content.size()) {
    if (const long grown = resize_locked(node, begin + size); grown < 0) return grown;
  }
  std::size_t moved = 0;
  for (int i = 0; i < request.count && moved < size; ++i) {
    const std::size_t part = std::min(request.buffers[i].iov_len, size - moved);
    std::memcpy(node.content.data() + begin + moved, request.buffers[i].iov_base, part);
    moved += part;
  }
  node.modified_ns = now_ns();
  return static_cast<long>(moved);
}

// Holes take memory here, as content does: what is larger than the disk is refused.
long SimFiles::resize_locked(Node& node, std::uint64_t size) {
  if (size > node.content.size() && size - node.content.size() > disk_size_max_ - used_) return -ENOSPC;
  used_ = used_ - node.content.size() + size;
  node.content.resize(static_cast<std::size_t>(size));
  node.modified_ns = now_ns();
  return 0;
}

long SimFiles::read_directory_locked(Open& open, const sys::FileRequest& request) {
  if (!open.node->is_directory) return -ENOTDIR;
  if (open.at_end) return 0;
  auto* const bytes = static_cast<std::byte*>(request.buffers[0].iov_base);
  std::size_t used = 0;
  for (auto next = open.node->names.upper_bound(open.last_name); next != open.node->names.end(); ++next) {
    const std::size_t size = (offsetof(dirent64, d_name) + next->first.size() + 1 + 7) / 8 * 8;
    if (used + size > request.buffers[0].iov_len) return static_cast<long>(used);
    dirent64 head{};
    head.d_ino = next->second->inode;
    head.d_reclen = static_cast<unsigned short>(size);
    head.d_type = next->second->is_directory ? DT_DIR : DT_REG;
    std::memcpy(bytes + used, &head, offsetof(dirent64, d_name));
    std::memcpy(bytes + used + offsetof(dirent64, d_name), next->first.c_str(), next->first.size() + 1);
    used += size;
    open.last_name = next->first;
  }
  open.at_end = true;
  return static_cast<long>(used);
}

// As flock(2): what it holds is given up first.
long SimFiles::lock_locked(Open& open, Lock lock) {
  Node& node = *open.node;
  const Lock before = std::exchange(open.lock, Lock::kNone);
  if (before == Lock::kShared) --node.shared_locks;
  if (before == Lock::kAlone) node.locked = false;
  if (lock == Lock::kNone) return 0;
  if (node.locked || (lock == Lock::kAlone && node.shared_locks != 0)) return -EAGAIN;
  if (lock == Lock::kShared) ++node.shared_locks;
  if (lock == Lock::kAlone) node.locked = true;
  open.lock = lock;
  return 0;
}

}  // namespace weft
