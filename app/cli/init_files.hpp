// The files that `ipop init` makes: all of them, or none and no folder either. One thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ipop::app {

// Remembers what was made, and removes it again unless keep() is called.
class NewFiles {
 public:
  NewFiles() = default;
  NewFiles(const NewFiles&) = delete;
  NewFiles& operator=(const NewFiles&) = delete;
  ~NewFiles();

  // With its parents, which get the usual mode of folders; what is there already is left as it
  // is. Throws std::runtime_error.
  void make_directory(const std::filesystem::path& directory, std::filesystem::perms mode);
  // A file that somebody else made just now.
  void made(const std::filesystem::path& file) { made_.push_back(file); }
  void keep() noexcept { made_.clear(); }

 private:
  std::vector<std::filesystem::path> made_;  // in the order they were made
};

}  // namespace ipop::app
