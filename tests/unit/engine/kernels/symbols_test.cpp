// Archives made for newer processors have no symbols but their entry points. A weak one in them,
// such as an inline function of a header, could be chosen by the linker for the whole program,
// which would then not run on other processors.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <set>
#include <sstream>
#include <string>

namespace ipop::engine {
namespace {

std::string listing() {
  const std::string command =
      std::string(NM_PROGRAM) + " --demangle --defined-only " + KERNEL_ARCHIVES;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  std::array<char, 4096> part;
  while (pipe != nullptr && fgets(part.data(), part.size(), pipe.get()) != nullptr)
    text += part.data();
  return text;
}

TEST(KernelArchives, HaveNoSymbolsButTheirEntryPoints) {
  std::set<std::string> entry_points;
  std::istringstream lines(listing());
  for (std::string line; std::getline(lines, line);) {
    // "0000000000000000 T ipop::engine::avx512::seal_gcm(ipop::engine::AeadJob*, unsigned long)"
    std::istringstream fields(line);
    std::string address;
    std::string kind;
    std::string name;
    if (!(fields >> address >> kind) || kind.size() != 1 ||
        !std::getline(fields >> std::ws, name)) {
      continue;
    }
    const bool is_local = kind[0] >= 'a' && kind != "u" && kind != "v" && kind != "w";
    if (is_local) continue;
    EXPECT_EQ(kind, "T") << line;
    entry_points.insert(name.substr(0, name.find('(')));
  }
  const std::string prefix = "ipop::engine::";
  EXPECT_EQ(
      entry_points,
      (std::set<std::string>{prefix + "avx512::open_chacha_poly", prefix + "avx512::open_gcm",
                             prefix + "avx512::seal_chacha_poly", prefix + "avx512::seal_gcm",
                             prefix + "chacha256::open_chacha_poly",
                             prefix + "chacha256::seal_chacha_poly", prefix + "gcm::expand_gcm_key",
                             prefix + "vaes256::open_gcm", prefix + "vaes256::seal_gcm"}));
}

}  // namespace
}  // namespace ipop::engine
