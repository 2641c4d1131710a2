package clients;

import java.util.Arrays;
import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;

/** What a broker refuses, by its code. */
final class Refused {
  interface Attempt {
    void go() throws Exception;
  }

  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtRefused", 2);
    String read_only = env.topic("CtReadOnly", 2, 4);
    DefaultMQProducer producer = env.producer("ct_refused");
    producer.setMaxMessageSize(16 << 20);
    producer.setRetryTimesWhenSendFailed(0);
    byte[] large = new byte[5 << 20];
    new java.util.Random(1).nextBytes(large);
    out.say("a body above the limit", code(() -> producer.send(new Message(topic, large))));
    char[] name = new char[40_000];
    Arrays.fill(name, 'p');
    Message wide = Env.message(topic, "", "", "wide");
    wide.putUserProperty("p", new String(name));
    out.say("properties above the limit", code(() -> producer.send(wide)));
    out.say("a topic that is not written to", code(() -> producer.send(Env.message(read_only, "", "", "x"))));
    out.say("a topic's name", code(() -> producer.send(Env.message("no topic", "", "", "x"))));
    out.say("a system topic", code(() -> producer.send(Env.message("SCHEDULE_TOPIC_XXXX", "", "", "x"))));
    out.say("a key that nobody has", code(() -> env.admin.viewMessage(topic, "7F00000100002A9F0000000012345678")));
    producer.shutdown();
  }

  static Object code(Attempt attempt) {
    try {
      attempt.go();
      return "taken";
    } catch (MQBrokerException e) {
      return "broker " + e.getResponseCode();
    } catch (MQClientException e) {
      return "client " + e.getResponseCode();
    } catch (Exception e) {
      return e.getClass().getSimpleName();
    }
  }
}
