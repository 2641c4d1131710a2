package clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageRequestMode;

/** Push consumers that are told by the broker what to consume, and that pop instead of pulling. */
final class Popping {
  private static DefaultMQPushConsumer consumer(Env env, String group, String topic, MessageListenerConcurrently listener) throws Exception {
    DefaultMQPushConsumer consumer = env.push(group);
    consumer.setClientRebalance(false);
    consumer.setPopInvisibleTime(20_000);
    consumer.subscribe(topic, "*");
    consumer.registerMessageListener(listener);
    consumer.start();
    return consumer;
  }

  private static List<String> send(DefaultMQProducer producer, String topic, String name, int count) throws Exception {
    List<String> sent = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      producer.send(Env.message(topic, "T", "", name + " " + i));
      sent.add(name + " " + i);
    }
    return sent;
  }

  /** Two members share the messages; one that fails comes again later, and so does one that nobody answers for. */
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtPop", 4);
    String group = "ct_pop_group";
    env.admin.setMessageRequestMode(env.broker(), topic, group, MessageRequestMode.POP, 0, 20_000);
    Counted seen = new Counted();
    Map<String, Long> failed = new ConcurrentHashMap<>();
    Map<String, Object> again = new TreeMap<>();
    boolean[] in_time = {false};
    MessageListenerConcurrently listener = (messages, context) -> {
      MessageExt m = messages.get(0);
      String body = Env.body(m);
      seen.see(body);
      if (!body.equals("bad 0")) {
        return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
      }
      Long before = failed.putIfAbsent(body, System.currentTimeMillis());
      if (before == null) {
        return ConsumeConcurrentlyStatus.RECONSUME_LATER;
      }
      in_time[0] = System.currentTimeMillis() - before >= 10_000;
      synchronized (again) {
        again.put("topic", m.getTopic());
        again.put("times", m.getReconsumeTimes());
        again.put("tag", m.getTags());
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    };
    DefaultMQProducer producer = env.producer("ct_pop");
    List<String> sent = send(producer, topic, "before", 30);
    DefaultMQPushConsumer first = consumer(env, group, topic, listener);
    DefaultMQPushConsumer second = consumer(env, group, topic, listener);
    sent.addAll(send(producer, topic, "bad", 1));
    sent.addAll(send(producer, topic, "after", 60));
    out.say("everything came", Env.until(() -> seen.hasAll(sent)));
    out.say("what failed came again", Env.until(() -> seen.of("bad 0") == 2));
    out.say("not before its time", in_time[0]);
    synchronized (again) {
      out.say("as it came again", new TreeMap<>(again));
    }
    out.say("twice", seen.twice());
    first.shutdown();
    second.shutdown();
    producer.shutdown();
  }

  /** A group that pulls, then pops, then pulls, and loses nothing on the way. */
  static void mixed(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtPopMixed", 4);
    String group = "ct_popmixed_group";
    Counted seen = new Counted();
    MessageListenerConcurrently listener = (messages, context) -> {
      for (MessageExt m : messages) {
        seen.see(Env.body(m));
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    };
    DefaultMQProducer producer = env.producer("ct_popmixed");
    DefaultMQPushConsumer first = consumer(env, group, topic, listener);
    DefaultMQPushConsumer second = consumer(env, group, topic, listener);
    List<String> pulled = send(producer, topic, "pulled", 40);
    out.say("pulled", Env.until(() -> seen.hasAll(pulled)));
    env.admin.setMessageRequestMode(env.broker(), topic, group, MessageRequestMode.POP, 0, 20_000);
    List<String> popped = send(producer, topic, "popped", 40);
    out.say("popped", Env.until(() -> seen.hasAll(popped)));
    env.admin.setMessageRequestMode(env.broker(), topic, group, MessageRequestMode.PULL, 0, 20_000);
    List<String> last = send(producer, topic, "pulled again", 40);
    out.say("pulled again", Env.until(() -> seen.hasAll(last)));
    out.say("distinct", seen.distinct());
    first.shutdown();
    second.shutdown();
    producer.shutdown();
  }
}
