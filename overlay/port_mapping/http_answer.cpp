#include "overlay/port_mapping/http_answer.hpp"

#include <algorithm>
#include <charconv>

namespace ipop::overlay::http {
namespace {

constexpr std::size_t kLongestPath = 512;

char lower(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// All of `text` as a number.
template <typename T>
bool to_number(std::string_view text, T& into, int base = 10) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// RFC 9112 §7.1. Extensions and trailers are skipped.
Progress read_chunks(std::string_view rest, std::string& body) {
  for (;;) {
    const std::size_t line_end = rest.find('\n');
    if (line_end == std::string_view::npos) return Progress::kMore;
    const std::string_view line = trimmed(rest.substr(0, line_end));
    std::size_t size = 0;
    if (!to_number(trimmed(line.substr(0, line.find(';'))), size, 16) || size > kLongestAnswer)
      return Progress::kBroken;
    if (size == 0) return Progress::kWhole;
    rest.remove_prefix(line_end + 1);
    if (rest.size() < size) return Progress::kMore;
    body += rest.substr(0, size);
    rest.remove_prefix(size);
    if (rest.starts_with('\r')) rest.remove_prefix(1);
    if (rest.empty()) return Progress::kMore;
    if (rest.front() != '\n') return Progress::kBroken;
    rest.remove_prefix(1);
  }
}

// The head without its empty line; `body_at` is where that ends. Nothing: it is not whole.
std::string_view head_of(std::string_view bytes, std::size_t& body_at) noexcept {
  const std::size_t crlf = bytes.find("\r\n\r\n");
  const std::size_t lf = bytes.find("\n\n");
  if (crlf == std::string_view::npos && lf == std::string_view::npos) return {};
  body_at = crlf < lf ? crlf + 4 : lf + 2;
  return bytes.substr(0, std::min(crlf, lf));
}

}  // namespace

Progress parse_answer(std::string_view bytes, bool ended, Answer& into) {
  if (bytes.size() > kLongestAnswer) return Progress::kBroken;
  const Progress cut = ended ? Progress::kBroken : Progress::kMore;
  std::size_t body_at = 0;
  const std::string_view head = head_of(bytes, body_at);
  if (head.empty()) return bytes.size() > kLongestHead ? Progress::kBroken : cut;
  // "HTTP/1.1 200 OK"
  Answer answer;
  if (!head.starts_with("HTTP/1.") || head.size() < 12 || head[8] != ' ' ||
      !to_number(head.substr(9, 3), answer.status)) {
    return Progress::kBroken;
  }
  const std::string_view rest = bytes.substr(body_at);
  if (same_word(field(head, "transfer-encoding"), "chunked")) {
    const Progress progress = read_chunks(rest, answer.body);
    if (progress != Progress::kWhole) return progress == Progress::kMore ? cut : progress;
  } else if (const std::string_view length = field(head, "content-length"); !length.empty()) {
    std::size_t size = 0;
    if (!to_number(length, size) || size > kLongestAnswer) return Progress::kBroken;
    if (rest.size() < size) return cut;
    answer.body = rest.substr(0, size);
  } else {
    if (!ended) return Progress::kMore;
    answer.body = rest;
  }
  into = std::move(answer);
  return Progress::kWhole;
}

std::string_view field(std::string_view head, std::string_view name) {
  // The first line is none.
  for (std::size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at)) {
    ++at;
    const std::string_view line = head.substr(at, head.find('\n', at) - at);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && same_word(trimmed(line.substr(0, colon)), name))
      return trimmed(line.substr(colon + 1));
  }
  return {};
}

Target parse_target(std::string_view url) {
  Target target;
  if (constexpr std::string_view kScheme = "http://"; url.starts_with(kScheme)) {
    url.remove_prefix(kScheme.size());
    const std::string_view authority = url.substr(0, url.find('/'));
    url.remove_prefix(authority.size());
    const std::size_t colon = authority.find(':');
    target.port = 80;
    if (colon != std::string_view::npos && !to_number(authority.substr(colon + 1), target.port))
      return {};
    if (target.port == 0) return {};
  } else if (url.empty() || url.find("://") != std::string_view::npos) {
    return {};
  }
  // Nothing that would end the line it is to stand in.
  const bool plain = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
  if (!plain || url.size() > kLongestPath) return {};
  target.path = url.starts_with('/') ? std::string(url) : "/" + std::string(url);
  return target;
}

}  // namespace ipop::overlay::http
