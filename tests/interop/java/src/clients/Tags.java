package clients;

import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.MessageExt;

/** Tags, two with the same hash among them. */
final class Tags {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtTags", 2);
    DefaultMQProducer producer = env.producer("ct_tags");
    Counted some = new Counted();
    Counted all = new Counted();
    DefaultMQPushConsumer picky = start(env, "ct_tags_some", topic, "TagA || Aa || 标签", some);
    DefaultMQPushConsumer greedy = start(env, "ct_tags_all", topic, "*", all);
    for (int round = 0; round < 3; round++) {
      for (String tag : List.of("TagA", "TagB", "Aa", "BB", "标签", "", "taga")) {
        producer.send(Env.message(topic, tag, "", "<" + tag + "> " + round));
      }
    }
    out.say("everything came", Env.until(() -> all.distinct() == 21));
    Env.until(() -> some.distinct() == 9);
    Env.never(1_000, () -> some.distinct() > 9);
    out.say("all", all.all());
    out.say("some", some.all());
    picky.shutdown();
    greedy.shutdown();
    producer.shutdown();
  }

  private static DefaultMQPushConsumer start(Env env, String group, String topic, String tags, Counted seen) throws Exception {
    DefaultMQPushConsumer consumer = env.push(group);
    consumer.subscribe(topic, tags);
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (MessageExt m : messages) {
        seen.see(Env.body(m));
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    return consumer;
  }
}
