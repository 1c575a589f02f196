// SPDX-License-Identifier: Apache-2.0
// The names of simulated files.
#include "base/atomic.hpp"
#include "base/clock.hpp"
#include "event_loop/sim/sim_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <sys/stat.h>
#include <utility>

namespace weft {
namespace {

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kPathMax = 4095;
constexpr std::uint32_t kUmask = 022;
constexpr std::uint64_t kSimulatedDevice = 1;

/// Of the root, or a way to a directory that has a name elsewhere.
bool is_no_name(std::string_view name) noexcept { return name.empty() || name == "." || name == ".."; }

constinit Atomic<int> next_descriptor{FileWorld::kDescriptorMin};

}  // namespace

std::shared_ptr<SimFiles::Node> SimFiles::make_node_locked(bool is_directory, std::uint32_t mode) {
  auto node = std::make_shared<Node>();
  node->is_directory = is_directory;
  node->mode = mode & 07777u;
  node->inode = ++last_inode_;
  node->links = is_directory ? 2 : 1;
  node->modified_ns = now_ns();
  return node;
}

SimFiles::Place SimFiles::find_locked(int directory, std::string_view path) {
  if (path.empty()) return {.error = -ENOENT};
  if (path.size() > kPathMax) return {.error = -ENAMETOOLONG};
  std::shared_ptr<Node> at = root_;  // also the directory that relative paths begin in
  if (path.front() != '/' && directory != AT_FDCWD) {
    const auto open = open_.find(directory);
    if (open == open_.end()) return {.error = -EBADF};
    at = open->second.node;
  }
  Place place{.directory = at, .node = at};
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string name(path.substr(begin, end - begin));
    begin = end + 1;
    place.must_be_directory = end != path.size();
    if (name.empty()) {
      place.must_be_directory = true;
      continue;
    }
    if (place.node == nullptr) return {.error = -ENOENT};
    if (!place.node->is_directory) return {.error = -ENOTDIR};
    if (name == ".") {
      place.name = name;
      continue;
    }
    if (name.size() > kNameMax) return {.error = -ENAMETOOLONG};
    place.directory = place.node;
    place.name = name;
    if (name == "..") {
      const std::shared_ptr<Node> around = place.node->around.lock();
      place.node = around != nullptr ? around : place.node;
      continue;
    }
    const auto found = place.directory->names.find(name);
    place.node = found == place.directory->names.end() ? nullptr : found->second;
  }
  if (place.must_be_directory && place.node != nullptr && !place.node->is_directory)
    return {.error = -ENOTDIR};
  return place;
}

long SimFiles::open_locked(const sys::FileRequest& request) {
  Place place = find_locked(request.fd, request.path);
  if (place.error != 0) return place.error;
  const unsigned flags = request.flags;
  const bool writes = (flags & O_ACCMODE) != O_RDONLY;
  const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  if (open_.size() >= descriptors_max_) return -EMFILE;
  if (unnamed) {
    if (place.node == nullptr) return -ENOENT;
    if (!place.node->is_directory) return -ENOTDIR;
    place.node = make_node_locked(false, request.mode);
    place.node->links = 0;
  } else if (place.node == nullptr) {
    if ((flags & O_CREAT) == 0) return -ENOENT;
    if (place.must_be_directory) return -EISDIR;
    if (place.directory->links == 0) return -ENOENT;  // removed meanwhile
    place.node = make_node_locked(false, request.mode & ~kUmask);
    place.directory->names.emplace(place.name, place.node);
  } else {
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) return -EEXIST;
    if (place.node->is_directory && (writes || (flags & O_CREAT) != 0)) return -EISDIR;
    if (!place.node->is_directory && (flags & O_DIRECTORY) != 0) return -ENOTDIR;
    if ((flags & O_TRUNC) != 0) resize_locked(*place.node, 0);
  }
  const int descriptor = next_descriptor.fetch_add(1, relaxed);
  open_.emplace(descriptor, Open{.node = std::move(place.node), .flags = flags});
  return descriptor;
}

long SimFiles::make_directory_locked(const sys::FileRequest& request) {
  const Place place = find_locked(request.fd, request.path);
  if (place.error != 0) return place.error;
  if (place.node != nullptr) return -EEXIST;
  if (place.directory->links == 0) return -ENOENT;
  const std::shared_ptr<Node> made = make_node_locked(true, request.mode & ~kUmask);
  made->around = place.directory;
  place.directory->names.emplace(place.name, made);
  ++place.directory->links;
  return 0;
}

long SimFiles::remove_locked(const sys::FileRequest& request) {
  const Place place = find_locked(request.fd, request.path);
  if (place.error != 0) return place.error;
  if (place.node == nullptr) return -ENOENT;
  if ((request.flags & AT_REMOVEDIR) == 0) {
    if (place.node->is_directory) return -EISDIR;
  } else {
    if (!place.node->is_directory) return -ENOTDIR;
    if (place.name.empty()) return -EBUSY;  // the root
    if (place.name == ".") return -EINVAL;
    if (place.name == "..") return -ENOTEMPTY;
    if (!place.node->names.empty()) return -ENOTEMPTY;
    --place.directory->links;
  }
  place.directory->names.erase(place.name);
  place.node->links = 0;
  if (place.node.use_count() == 1) used_ -= place.node->content.size();
  return 0;
}

long SimFiles::rename_locked(const sys::FileRequest& request) {
  const Place from = find_locked(request.fd, request.path);
  if (from.error != 0) return from.error;
  const Place to = find_locked(request.other_fd, request.other_path);
  if (to.error != 0) return to.error;
  if (from.node == nullptr || to.directory->links == 0) return -ENOENT;
  if (is_no_name(from.name) || is_no_name(to.name)) return -EBUSY;
  if (to.must_be_directory && !from.node->is_directory) return -ENOTDIR;
  for (std::shared_ptr<Node> at = to.directory; at != nullptr; at = at->around.lock()) {
    if (at == from.node) return -EINVAL;  // into itself
  }
  if (to.node != nullptr) {
    if ((request.flags & RENAME_NOREPLACE) != 0) return -EEXIST;
    if (to.node == from.node) return 0;
    if (to.node->is_directory && !from.node->is_directory) return -EISDIR;
    if (!to.node->is_directory && from.node->is_directory) return -ENOTDIR;
    if (!to.node->names.empty()) return -ENOTEMPTY;
    if (to.node->is_directory) --to.directory->links;
    to.directory->names.erase(to.name);
    to.node->links = 0;
    if (to.node.use_count() == 1) used_ -= to.node->content.size();
  }
  from.directory->names.erase(from.name);
  to.directory->names.emplace(to.name, from.node);
  if (!from.node->is_directory) return 0;
  from.node->around = to.directory;
  --from.directory->links;
  ++to.directory->links;
  return 0;
}

long SimFiles::status_locked(const sys::FileRequest& request) {
  std::shared_ptr<Node> node;
  if ((request.flags & AT_EMPTY_PATH) != 0 && request.path[0] == '\0') {
    const auto open = open_.find(request.fd);
    if (open == open_.end()) return -EBADF;
    node = open->second.node;
  } else {
    const Place place = find_locked(request.fd, request.path);
    if (place.error != 0) return place.error;
    node = place.node;
  }
  if (node == nullptr) return -ENOENT;
  struct statx& status = *request.status;
  status = {};
  status.stx_mode = static_cast<std::uint16_t>((node->is_directory ? S_IFDIR : S_IFREG) | node->mode);
  status.stx_size = node->content.size();
  status.stx_blocks = (node->content.size() + 511) / 512;
  status.stx_nlink = static_cast<std::uint32_t>(node->links);
  status.stx_ino = node->inode;
  status.stx_dev_minor = kSimulatedDevice;
  status.stx_mtime.tv_sec = node->modified_ns / 1'000'000'000;
  status.stx_mtime.tv_nsec = static_cast<std::uint32_t>(node->modified_ns % 1'000'000'000);
  status.stx_ctime = status.stx_mtime;
  return 0;
}

}  // namespace weft
