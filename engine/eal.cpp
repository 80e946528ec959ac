#include "engine/eal.hpp"

#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>

namespace ipop::engine {
namespace {

// EAL pins the thread that starts it to the processors of its first lcore; naming all that we may
// use leaves the thread where it was.
std::vector<unsigned> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<unsigned> cpus;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

struct FreeHugepages {
  std::uint64_t megabytes = 0;
  std::uint64_t smallest = 0;  // bytes of a page of the smallest size there is; 0: none is free
};

FreeHugepages free_hugepages() {
  FreeHugepages found;
  std::uint64_t kilobytes = 0;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", ignored)) {
    // hugepages-2048kB
    const std::string name = entry.path().filename();
    const std::size_t dash = name.find('-');
    std::uint64_t pages = 0;
    if (dash == std::string::npos) continue;
    std::ifstream file(entry.path() / "free_hugepages");
    if (!(file >> pages) || pages == 0) continue;
    const std::uint64_t size = std::strtoull(name.c_str() + dash + 1, nullptr, 10);
    kilobytes += pages * size;
    if (found.smallest == 0 || size * 1024 < found.smallest) found.smallest = size * 1024;
  }
  found.megabytes = kilobytes / 1024;
  return found;
}

bool decide_hugepages(const EalSettings& settings) {
  if (settings.hugepages == conf::Hugepages::kNever) return false;
  const FreeHugepages free = free_hugepages();
  const bool enough = free.megabytes >= settings.memory_mb;
  if (settings.hugepages == conf::Hugepages::kAuto) {
    return enough && can_map_hugepage(free.smallest);
  }
  if (enough) return true;
  throw std::runtime_error(
      "engine.hugepages is \"require\", but only " + std::to_string(free.megabytes) +
      " MB of the " + std::to_string(settings.memory_mb) +
      " MB needed are free as hugepages; reserve more, for example with \"sysctl -w "
      "vm.nr_hugepages=" +
      std::to_string((settings.memory_mb + 1) / 2) + "\"");
}

[[noreturn]] void throw_failure(int number, const EalSettings& settings) {
  std::string what = "DPDK does not start: ";
  what += rte_strerror(number);
  switch (number) {
    case EACCES:
    case EPERM:
      what += "; run as root, or give the process the capabilities of the systemd unit";
      break;
    case ENOMEM:
      what += "; " + std::to_string(settings.memory_mb) +
              " MB of memory are needed: free some, or lower engine.memory_mb";
      break;
    case ENOTSUP:
      what += "; the processor lacks instructions that this build of DPDK needs (x86: SSE 4.2)";
      break;
    default:
      what += "; its own messages above say why";
  }
  throw std::runtime_error(what);
}

}  // namespace

bool has_physical_addresses() noexcept {
  return rte_eal_iova_mode() == RTE_IOVA_PA;
}

bool can_map_hugepage(std::uint64_t size) {
  if (!std::has_single_bit(size)) return false;
  const int log2_size = std::countr_zero(size);
  void* const page =
      mmap(nullptr, size, PROT_READ | PROT_WRITE,
           MAP_HUGETLB | MAP_ANONYMOUS | MAP_PRIVATE | MAP_POPULATE | log2_size << MAP_HUGE_SHIFT,
           -1, 0);
  if (page == MAP_FAILED) return false;
  // A page over a control group's limit is mapped, but not there; to touch it would be SIGBUS.
  unsigned char resident = 0;
  const bool usable =
      mincore(page, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), &resident) == 0 &&
      (resident & 1) != 0;
  munmap(page, size);
  return usable;
}

std::vector<std::string> eal_arguments(const EalSettings& settings, bool with_hugepages,
                                       const std::vector<unsigned>& cpus) {
  std::vector<std::string> arguments{"ipopd"};
  if (with_hugepages) {
    arguments.emplace_back("--in-memory");
  } else {
    // DPDK 22.11 refuses --no-huge together with --in-memory.
    arguments.insert(arguments.end(), {"--no-huge", "--no-shconf", "-m"});
    arguments.push_back(std::to_string(settings.memory_mb));
  }
  arguments.emplace_back("--file-prefix");
  arguments.push_back("ipop-" + std::to_string(getpid()));
  arguments.insert(arguments.end(), {"--no-telemetry", "--log-level", "error"});
  if (settings.pci_device.empty()) {
    // By itself EAL takes physical addresses for no card at all, if there is no IOMMU.
    arguments.insert(arguments.end(), {"--no-pci", "--iova-mode", "va"});
  } else {
    arguments.insert(arguments.end(), {"--allow", settings.pci_device});
  }
  std::string lcores = "0@(";
  for (const unsigned cpu : cpus) {
    if (lcores.back() != '(') lcores += ',';
    lcores += std::to_string(cpu);
  }
  arguments.emplace_back("--lcores");
  arguments.push_back(lcores + ")");
  return arguments;
}

void start_eal(const EalSettings& settings) {
  static std::mutex mutex;
  static bool started = false;
  const std::scoped_lock lock(mutex);
  if (started) return;
  auto arguments = eal_arguments(settings, decide_hugepages(settings), allowed_cpus());
  std::vector<char*> argv;
  for (std::string& argument : arguments)
    argv.push_back(argument.data());
  const int count = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  if (rte_eal_init(count, argv.data()) < 0) throw_failure(rte_errno, settings);
  started = true;
  // EAL leaves an empty directory of its prefix behind; a daemon that restarts would pile them up.
  ::rmdir(rte_eal_get_runtime_dir());
}

}  // namespace ipop::engine
