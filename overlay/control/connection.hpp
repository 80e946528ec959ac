// One client of the control socket: reads a line, has it handled, writes the answer, and only then
// reads the next. Overlay thread. Lives as long as the server keeps it or an operation of it is
// under way; after close() it calls no handler any more.
#pragma once

#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "overlay/control/handlers.hpp"
#include "overlay/control/server.hpp"

namespace ipop::overlay::control {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = asio::local::stream_protocol::socket;
  using Closed = std::function<void(Connection&)>;

  // References must outlive close(). `closed` is called once, from close().
  Connection(Socket socket, const std::string& version, const Handlers& handlers,
             const ServerLimits& limits, Closed closed);

  void start();
  // Tells the client why, and hangs up when it has read that.
  void refuse(const std::string& why);
  void close();

 private:
  void read_request();
  void handle(std::string_view line);
  void perform(const Request& request);
  void start_ping(const PingRequest& request);
  // True while more replies are wanted. `serial` tells a reply to an older ping.
  [[nodiscard]] bool take_ping_reply(unsigned serial, const Result<PingReply>& reply);

  void answer(nlohmann::ordered_json result);
  void answer_error(const std::string& message);
  void send(const nlohmann::ordered_json& object);
  void write_next();
  void finish_request();
  void give_up();
  void restart_idle_timer();

  Socket socket_;
  asio::steady_timer idle_;
  const std::string& version_;
  const Handlers& handlers_;
  const ServerLimits& limits_;
  Closed closed_;
  bool open_ = true;

  std::string input_;
  std::deque<std::string> output_;
  std::size_t output_bytes_ = 0;
  bool hang_up_ = false;        // once all is written
  bool finished_ = false;       // the request has had its last answer
  std::function<void()> then_;  // once that answer is written, or the client is gone

  unsigned ping_serial_ = 0;
  unsigned ping_count_ = 0;  // replies that the ping under way has in all; 0: none is
  unsigned ping_sent_ = 0;
  unsigned ping_answered_ = 0;
};

}  // namespace ipop::overlay::control
