// SPDX-License-Identifier: Apache-2.0
// Loads a plugin, runs it in this thread, unloads it; twice.
#include <cstdio>
#include <dlfcn.h>

int main(int count, char** arguments) {
  if (count != 2) return 2;
  for (int round = 0; round < 2; ++round) {
    void* const plugin = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) {
      std::fprintf(stderr, "%s\n", dlerror());
      return 2;
    }
    const auto run = reinterpret_cast<int (*)()>(dlsym(plugin, "run_plugin"));
    if (run == nullptr || run() != 0) return 1;
    dlclose(plugin);
  }
  return 0;
}
