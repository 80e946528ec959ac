// Reads the keys of one object of JSON. The first that has the wrong type is remembered; after it
// nothing is read any more. Keys that are absent leave what was there. Any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace ipop::overlay {

class ObjectReader {
 public:
  using Json = nlohmann::ordered_json;

  ObjectReader(const Json& object, std::string_view where) : object_(object), where_(where) {
    if (!object.is_object()) complain(where_ + " is not an object");
  }

  template <typename T>
  void read(const char* key, T& into) {
    const Json* value = find(key);
    if (value != nullptr && !assign(*value, into)) {
      complain(where_ + "." + key + " has the wrong type");
    }
  }

  // The object behind `key`, if there is one.
  template <typename Read>
  void object(const char* key, Read read) {
    const Json* value = find(key);
    if (value == nullptr) return;
    ObjectReader inner(*value, where_ + "." + key);
    if (inner.ok()) read(inner);
    if (!inner.ok()) complain(inner.error_);
  }

  // Every object of the list behind `key`.
  template <typename Read>
  void list(const char* key, Read read) {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_array()) return complain(where_ + "." + key + " is not a list");
    for (const Json& entry : *value) {
      ObjectReader inner(entry, where_ + "." + key + "[]");
      if (inner.ok()) read(inner);
      if (!inner.ok()) return complain(inner.error_);
    }
  }

  void complain(std::string message) {
    if (error_.empty()) error_ = std::move(message);
  }

  [[nodiscard]] bool ok() const noexcept { return error_.empty(); }
  [[nodiscard]] const std::string& where() const noexcept { return where_; }
  [[nodiscard]] std::unexpected<Error> failure() const { return fail(error_); }

 private:
  [[nodiscard]] const Json* find(const char* key) const {
    if (!ok()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  static bool assign(const Json& value, std::string& into) {
    if (!value.is_string()) return false;
    into = value.get_ref<const std::string&>();
    return true;
  }
  static bool assign(const Json& value, bool& into) {
    if (!value.is_boolean()) return false;
    into = value.get<bool>();
    return true;
  }
  static bool assign(const Json& value, double& into) {
    if (!value.is_number()) return false;
    into = value.get<double>();
    return true;
  }
  template <std::unsigned_integral T>
  static bool assign(const Json& value, T& into) {
    if (!value.is_number_unsigned()) return false;
    const auto number = value.get<std::uint64_t>();
    into = static_cast<T>(number);
    return into == number;
  }
  template <typename T>
  static bool assign(const Json& value, std::optional<T>& into) {
    if (value.is_null()) {
      into.reset();
      return true;
    }
    return assign(value, into.emplace());
  }
  static bool assign(const Json& value, std::vector<std::string>& into) {
    if (!value.is_array()) return false;
    into.clear();
    for (const Json& entry : value) {
      if (!entry.is_string()) return false;
      into.push_back(entry.get_ref<const std::string&>());
    }
    return true;
  }

  const Json& object_;
  std::string where_;
  std::string error_;
};

}  // namespace ipop::overlay
