#include "base/error.hpp"

#include <system_error>

namespace ipop {

std::unexpected<Error> fail_errno(std::string_view what, int number) {
  return fail(std::string(what) + ": " + std::generic_category().message(number));
}

}  // namespace ipop
