// The `openssl` program, in a folder of the test's own: what it makes IPOP has to read, and the
// other way round.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace ipop {

class OpensslCommand {
 public:
  explicit OpensslCommand(std::filesystem::path folder) : folder_(std::move(folder)) {}

  struct Outcome {
    int code = 0;
    std::string output;  // of both streams
  };
  // `arguments` as a shell takes them; without "openssl".
  [[nodiscard]] Outcome run(const std::string& arguments) const {
    const std::string command =
        "cd '" + folder_.string() + "' && openssl " + arguments + " 2>&1 </dev/null";
    FILE* const pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run openssl");
    Outcome outcome;
    char chunk[4096];
    while (const std::size_t got = std::fread(chunk, 1, sizeof chunk, pipe))
      outcome.output.append(chunk, got);
    const int status = ::pclose(pipe);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
    return outcome;
  }
  // Throws if it fails.
  std::string must(const std::string& arguments) const {
    Outcome outcome = run(arguments);
    if (outcome.code != 0) throw std::runtime_error("openssl " + arguments + ": " + outcome.output);
    return std::move(outcome.output);
  }

  [[nodiscard]] std::string read(const std::string& file) const {
    std::ostringstream text;
    text << std::ifstream(folder_ / file).rdbuf();
    return text.str();
  }
  void write(const std::string& file, const std::string& content) const {
    std::ofstream(folder_ / file) << content;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace ipop
