#include <iostream>

#include "app/daemon.hpp"
#include "app/run_ipopd.hpp"

int main(int argc, char** argv) {
  return ipop::app::run_ipopd(argc, argv, ipop::app::run_daemon, std::cout, std::cerr);
}
