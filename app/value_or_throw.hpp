// At start-up an error ends the daemon: thrown, with what it was about, and caught once.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace ipop::app {

template <typename T>
T value_or_throw(Result<T> result, const std::string& context) {
  if (!result) throw std::runtime_error(context + ": " + result.error().message);
  return std::move(*result);
}

}  // namespace ipop::app
