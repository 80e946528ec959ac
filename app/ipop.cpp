// ipop: the program people use. Everything is in app/cli/.
#include <iostream>

#include "app/cli/run.hpp"

int main(int argc, char** argv) {
  return ipop::app::run_ipop(argc, argv, {.out = std::cout, .err = std::cerr});
}
