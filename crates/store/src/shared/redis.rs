//! The same windows and word of changes through Redis 7.

use std::time::Duration;

use futures::StreamExt as _;
use kernel::{Error, Result};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script};
use tokio::sync::OnceCell;

use super::memory::{Decision, Place, judge};

/// How long a request waits for Redis before it goes on without.
const PATIENCE: Duration = Duration::from_millis(250);

/// Judges and counts in one step. KEYS: the running window, the last one. ARGV: cost, limit, share of the last, life in ms.
const HIT: &str = "
local running = tonumber(redis.call('GET', KEYS[1]) or '0')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local used = running + math.floor(last * tonumber(ARGV[3]))
if used + tonumber(ARGV[1]) <= tonumber(ARGV[2]) then
  redis.call('INCRBY', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return {running, last}";

pub(super) struct Link {
    client: Client,
    prefix: String,
    manager: OnceCell<ConnectionManager>,
    hit: Script,
}

impl Link {
    pub fn new(url: &str, prefix: &str) -> Result<Self> {
        let client = Client::open(url).map_err(Error::internal)?;
        Ok(Self { client, prefix: prefix.to_owned(), manager: OnceCell::new(), hit: Script::new(HIT) })
    }

    async fn connection(&self) -> Result<ConnectionManager, RedisError> {
        let connect = async || {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(PATIENCE))
                .set_response_timeout(Some(PATIENCE))
                .set_number_of_retries(0);
            ConnectionManager::new_with_config(self.client.clone(), config).await
        };
        self.manager.get_or_try_init(connect).await.cloned()
    }

    pub async fn hit(&self, key: &str, cost: u32, limit: u32, window: Duration, now: i64) -> Result<Decision, RedisError> {
        let place = Place::of(now, window);
        let life = u64::try_from(window.as_millis()).unwrap_or(u64::MAX).saturating_mul(2);
        let mut connection = self.connection().await?;
        let (running, last): (u32, u32) = self
            .hit
            .key(self.name(key, place.bucket))
            .key(self.name(key, place.bucket - 1))
            .arg(cost)
            .arg(limit)
            .arg(place.carried)
            .arg(life)
            .invoke_async(&mut connection)
            .await?;
        Ok(judge(&place, last, running, cost, limit))
    }

    pub async fn forget(&self, key: &str, window: Duration, now: i64) -> Result<(), RedisError> {
        let bucket = Place::of(now, window).bucket;
        let mut connection = self.connection().await?;
        let mut delete = redis::cmd("DEL");
        for bucket in [bucket, bucket - 1] {
            delete.arg(self.name(key, bucket));
        }
        delete.query_async(&mut connection).await
    }

    fn name(&self, key: &str, bucket: i64) -> String {
        format!("{}:limit:{{{key}}}:{bucket}", self.prefix)
    }

    pub async fn publish(&self, topic: &str) -> Result<(), RedisError> {
        let mut connection = self.connection().await?;
        redis::cmd("PUBLISH").arg(format!("{}:topics", self.prefix)).arg(topic).query_async(&mut connection).await
    }

    pub async fn listen(&self, ready: impl Fn(), hear: impl Fn(&str)) -> Result<(), RedisError> {
        let mut subscription = self.client.get_async_pubsub().await?;
        subscription.subscribe(format!("{}:topics", self.prefix)).await?;
        ready();
        let mut messages = subscription.on_message();
        while let Some(message) = messages.next().await {
            hear(&message.get_payload::<String>()?);
        }
        Ok(())
    }

    pub async fn ping(&self) -> Result<(), RedisError> {
        let mut connection = self.connection().await?;
        redis::cmd("PING").query_async(&mut connection).await
    }
}
