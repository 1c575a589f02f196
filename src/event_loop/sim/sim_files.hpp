// SPDX-License-Identifier: Apache-2.0
#pragma once

// A simulated file system: a tree of directories and regular files in memory, without symbolic links, that
// answers as Linux does. docs/design/simulation.md, "files".
//
// Thread safety: any thread; members that end in _locked require the mutex.

#include "event_loop/file_world.hpp"
#include "event_loop/sim/sim_random.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace weft {

struct SimOptions;

class SimFiles final : public FileWorld {
 public:
  explicit SimFiles(const SimOptions& options);

  long call(const sys::FileRequest& request) override;
  std::int64_t next_latency_ns() override;

 private:
  struct Node {
    bool is_directory = false;
    std::uint32_t mode = 0;
    std::uint64_t inode = 0;
    std::uint64_t links = 1;
    std::int64_t modified_ns = 0;
    std::string content;                                 // of a file
    std::map<std::string, std::shared_ptr<Node>> names;  // of a directory
    std::weak_ptr<Node> around;                          // of a directory: ".."
    std::size_t shared_locks = 0;
    bool locked = false;  // by one alone
  };
  enum class Lock : std::uint8_t { kNone, kShared, kAlone };
  struct Open {
    std::shared_ptr<Node> node = {};
    unsigned flags = 0;
    std::string last_name = {};  // of a directory: the one that was read last
    bool at_end = false;         // of a directory
    Lock lock = Lock::kNone;
  };
  /// Where a path leads: the directory, its last name, and what is there, or null.
  struct Place {
    long error = 0;
    std::shared_ptr<Node> directory = {};
    std::string name = {};
    std::shared_ptr<Node> node = {};
    bool must_be_directory = false;  // it ends with a slash
  };

  // -- the tree (sim_tree.cpp)
  Place find_locked(int directory, std::string_view path);
  std::shared_ptr<Node> make_node_locked(bool is_directory, std::uint32_t mode);
  long open_locked(const sys::FileRequest& request);
  long make_directory_locked(const sys::FileRequest& request);
  long remove_locked(const sys::FileRequest& request);
  long rename_locked(const sys::FileRequest& request);
  long status_locked(const sys::FileRequest& request);

  // -- what is open (sim_files.cpp)
  long call_locked(const sys::FileRequest& request, std::size_t size_max);
  long call_open_locked(Open& open, const sys::FileRequest& request, std::size_t size_max);
  long read_locked(const Open& open, const sys::FileRequest& request, std::size_t size_max);
  long write_locked(const Open& open, const sys::FileRequest& request, std::size_t size_max);
  long resize_locked(Node& node, std::uint64_t size);
  long read_directory_locked(Open& open, const sys::FileRequest& request);
  static long lock_locked(Open& open, Lock lock);

  const std::size_t descriptors_max_;
  const std::uint64_t disk_size_max_;
  const std::int64_t latency_min_ns_;
  const std::int64_t latency_max_ns_;
  const std::uint32_t short_counts_percent_;

  std::mutex mutex_;  // guards what follows
  SimRandom random_;
  std::uint64_t last_inode_ = 0;
  std::uint64_t used_ = 0;  // bytes of all files that have a name or are open
  std::shared_ptr<Node> root_;
  std::map<int, Open> open_;
};

}  // namespace weft
