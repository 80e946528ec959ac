#include "overlay/nat/port_model.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ipop::overlay {
namespace {

constexpr std::size_t kFewest = 8;
constexpr unsigned kLowestPort = 1024;
constexpr unsigned kHighestPort = 65535;

struct Known {
  int at;
  int port;
};

// The step that most of the samples agree on, if three of four do.
std::optional<PortModel> steps_of(const std::vector<Known>& known) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < known.size(); ++i) {
    steps.push_back(static_cast<double>(known[i].port - known[i - 1].port) /
                    (known[i].at - known[i - 1].at));
  }
  std::vector<double> sorted = steps;
  std::ranges::nth_element(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2));
  const double middle = std::round(sorted[sorted.size() / 2]);
  if (middle == 0 || std::abs(middle) > kLongestStep) return std::nullopt;
  const auto agree = std::ranges::count_if(
      steps, [&](double step) { return std::abs(step - middle) < 0.5 + std::abs(middle) / 2; });
  if (static_cast<std::size_t>(agree) * 4 < steps.size() * 3) return std::nullopt;
  const auto step = static_cast<std::int16_t>(middle);
  return PortModel{.kind = PortModel::Kind::kSteps,
                   .first = wrapped_port(known.back().port + step),
                   .last = wrapped_port(known.back().port + step),
                   .step = step};
}

}  // namespace

std::string PortModel::to_string() const {
  switch (kind) {
    case Kind::kOne:
      return "one port";
    case Kind::kSteps:
      return "steps of " + std::to_string(step);
    case Kind::kAnyOf:
      break;
  }
  return "any of " + std::to_string(ports()) + " ports";
}

std::optional<PortModel> port_model_of(std::span<const std::optional<std::uint16_t>> samples) {
  std::vector<Known> known;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (samples[i]) known.push_back({static_cast<int>(i), *samples[i]});
  }
  if (known.size() < kFewest) return std::nullopt;
  if (const auto steps = steps_of(known)) {
    PortModel model = *steps;
    // The mappings of the last samples were made, whether or not we heard of them.
    const auto unheard = static_cast<int>(samples.size()) - 1 - known.back().at;
    model.first = model.last = wrapped_port(model.first + unheard * model.step);
    return model;
  }
  const auto [least, greatest] = std::ranges::minmax(known, {}, &Known::port);
  // The range reaches beyond what was seen: by two average gaps on either side.
  const int gap = 2 * (greatest.port - least.port) / static_cast<int>(known.size() - 1) + 1;
  const int lowest = least.port < static_cast<int>(kLowestPort) ? 1 : static_cast<int>(kLowestPort);
  return PortModel{.kind = PortModel::Kind::kAnyOf,
                   .first = static_cast<std::uint16_t>(std::max(least.port - gap, lowest)),
                   .last = static_cast<std::uint16_t>(
                       std::min(greatest.port + gap, static_cast<int>(kHighestPort))),
                   .step = 0};
}

}  // namespace ipop::overlay
