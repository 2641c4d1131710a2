package clients;

import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/** SQL filters by heartbeat (push) and in the request (pull), and expressions that cannot be read. */
final class Sql {
  static void run(Env env, Outcome out) throws Exception {
    String topic = env.topic("CtSql", 2);
    DefaultMQProducer producer = env.producer("ct_sql");
    Counted seen = new Counted();
    DefaultMQPushConsumer consumer = consumer(env, "ct_sql_group", seen);
    consumer.subscribe(topic, MessageSelector.bySql("(amount BETWEEN 10 AND 30 OR region = 'eu') AND TAGS IS NOT NULL"));
    consumer.start();
    for (int i = 0; i < 50; i++) {
      Message message = Env.message(topic, i % 5 == 0 ? "" : "T", "", "amount " + i);
      message.putUserProperty("amount", String.valueOf(i));
      message.putUserProperty("region", i % 7 == 0 ? "eu" : "us");
      producer.send(message);
    }
    out.say("the last one that passes came", Env.until(() -> seen.has("amount 49")));
    Env.until(5_000, () -> seen.distinct() >= 19);
    Env.never(1_000, () -> seen.distinct() > 19);
    out.say("seen", seen.all());
    consumer.shutdown();

    DefaultMQPullConsumer reader = env.reader();
    int count = 0;
    for (MessageQueue queue : reader.fetchSubscribeMessageQueues(topic)) {
      PullResult got = pull(reader, queue, "amount > 39.5 AND amount < 45");
      count += got.getMsgFoundList() == null ? 0 : got.getMsgFoundList().size();
    }
    out.say("pulled with an expression of its own", count);

    for (String text : new String[] {"amount >", "a = NULL", "a IN (1)", "a BETWEEN 10 AND 0"}) {
      DefaultMQPushConsumer wrong = consumer(env, "ct_sql_wrong", new Counted());
      wrong.subscribe(topic, MessageSelector.bySql(text));
      out.say("start with " + text, Refused.code(wrong::start));
      wrong.shutdown();
    }
    producer.shutdown();
  }

  // The client refuses SQL by itself until the answer to its first heartbeat has told it the broker's version.
  private static PullResult pull(DefaultMQPullConsumer reader, MessageQueue queue, String expression) throws Exception {
    long end = System.currentTimeMillis() + 60_000;
    while (true) {
      try {
        return reader.pull(queue, MessageSelector.bySql(expression), 0, 32);
      } catch (MQClientException e) {
        if (!e.getMessage().contains("does not upgrade") || System.currentTimeMillis() > end) {
          throw e;
        }
        Thread.sleep(100);
      }
    }
  }

  private static DefaultMQPushConsumer consumer(Env env, String group, Counted seen) {
    DefaultMQPushConsumer consumer = env.push(group);
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      for (MessageExt m : messages) {
        seen.see(Env.body(m));
      }
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    return consumer;
  }
}
