#include "engine/eal.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>

namespace ipop::engine {
namespace {

bool has(const std::vector<std::string>& arguments, std::string_view argument) {
  return std::ranges::find(arguments, argument) != arguments.end();
}

TEST(Eal, AsksForWhatTheMachineHas) {
  const EalSettings settings{.memory_mb = 77};
  const auto without = eal_arguments(settings, false, {0, 1});
  EXPECT_TRUE(has(without, "--no-huge"));
  EXPECT_TRUE(has(without, "--no-shconf"));
  EXPECT_TRUE(has(without, "77"));
  EXPECT_FALSE(has(without, "--in-memory"));
  const auto with = eal_arguments(settings, true, {0, 1});
  EXPECT_TRUE(has(with, "--in-memory"));
  EXPECT_FALSE(has(with, "--no-huge"));
  for (const auto& arguments : {with, without}) {
    EXPECT_TRUE(has(arguments, "--no-pci"));
    EXPECT_FALSE(has(arguments, "--allow"));
    EXPECT_TRUE(has(arguments, "--iova-mode"));
    EXPECT_TRUE(has(arguments, "--no-telemetry"));
    EXPECT_TRUE(has(arguments, "0@(0,1)"));
  }
}

TEST(Eal, LooksForTheOneCardThatItIsToldOf) {
  for (const bool hugepages : {false, true}) {
    const auto arguments = eal_arguments({.pci_device = "0000:00:05.0"}, hugepages, {0});
    EXPECT_FALSE(has(arguments, "--no-pci"));
    EXPECT_FALSE(has(arguments, "--iova-mode"));
    const auto allow = std::ranges::find(arguments, "--allow");
    ASSERT_NE(allow, arguments.end());
    ASSERT_NE(allow + 1, arguments.end());
    EXPECT_EQ(*(allow + 1), "0000:00:05.0");
    EXPECT_EQ(std::ranges::count(arguments, "--allow"), 1);
  }
}

TEST(Eal, DoesNotBelieveInHugepagesThatTheKernelRefuses) {
  EXPECT_FALSE(can_map_hugepage(0));
  EXPECT_FALSE(can_map_hugepage(3 << 20));
  EXPECT_FALSE(can_map_hugepage(1 << 12));  // no processor has hugepages as small as that
}

TEST(Eal, LeavesTheThreadOnAllItsProcessors) {
  cpu_set_t before;
  cpu_set_t after;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  start_eal({});
  start_eal({});
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

}  // namespace
}  // namespace ipop::engine
