#include "app/cli/init_files.hpp"

#include <ranges>
#include <stdexcept>
#include <system_error>

namespace ipop::app {

namespace fs = std::filesystem;

NewFiles::~NewFiles() {
  // Last first, so that a folder is empty by its turn. remove() never removes one that is not.
  for (const fs::path& path : made_ | std::views::reverse) {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
}

void NewFiles::make_directory(const fs::path& directory, fs::perms mode) {
  const fs::path whole = fs::absolute(directory).lexically_normal();
  fs::path path;
  for (const fs::path& part : whole) {
    path /= part;
    std::error_code error;
    if (part.empty() || fs::is_directory(path, error)) continue;
    if (!fs::create_directory(path, error) || error) {
      throw std::runtime_error("making the folder " + path.string() + ": " +
                               (error ? error.message() : "it is in the way"));
    }
    made_.push_back(path);
    if (path == whole) fs::permissions(path, mode, error);
    if (error) throw std::runtime_error(path.string() + ": " + error.message());
  }
}

}  // namespace ipop::app
