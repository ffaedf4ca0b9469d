//! What the nodes of an installation share: limits, and word of what changed. In process for one node; through Redis for
//! several. When Redis is away each node goes on by itself and says so in its health.

mod memory;
mod redis;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use kernel::Runtime;

pub use memory::Decision;

/// Called with each topic that some node published.
pub type Hearer = Arc<dyn Fn(&str) + Send + Sync>;

/// What the nodes share. Cheap to clone.
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

struct Inner {
    runtime: Runtime,
    memory: memory::Windows,
    redis: Option<redis::Link>,
    /// Whether Redis answered last.
    redis_well: AtomicBool,
    hearers: RwLock<Vec<Hearer>>,
}

impl Shared {
    /// For one node.
    pub fn in_process(runtime: Runtime) -> Self {
        Self(Arc::new(Inner {
            runtime,
            memory: memory::Windows::default(),
            redis: None,
            redis_well: AtomicBool::new(true),
            hearers: RwLock::default(),
        }))
    }

    /// For several nodes. Redis may be away now and come later. `prefix` keeps installations apart that share a Redis.
    ///
    /// # Errors
    /// `internal` when the URL is no Redis URL.
    pub fn through_redis(url: &str, prefix: &str, runtime: Runtime) -> kernel::Result<Self> {
        let link = redis::Link::new(url, prefix)?;
        let shared = Self(Arc::new(Inner {
            runtime,
            memory: memory::Windows::default(),
            redis: Some(link),
            redis_well: AtomicBool::new(false),
            hearers: RwLock::default(),
        }));
        shared.listen();
        Ok(shared)
    }

    fn listen(&self) {
        let shared = self.clone();
        tokio::spawn(async move {
            let Some(link) = &shared.0.redis else { return };
            loop {
                let heard = shared.clone();
                let well = shared.clone();
                let ended = link.listen(move || well.well(true), move |topic| heard.hear(topic)).await;
                shared.well(false);
                if let Err(error) = ended {
                    tracing::debug!(%error, "redis subscription ended");
                }
                // what was published meanwhile is lost, so everything that was cached is doubtful
                shared.hear("*");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }

    fn well(&self, well: bool) {
        if self.0.redis_well.swap(well, Ordering::Relaxed) != well {
            if well {
                tracing::info!("redis answers");
            } else {
                tracing::warn!("redis does not answer; limits and caches are this node's own until it does");
            }
        }
    }

    /// Counts `cost` against a limit per window, if it fits. What does not fit is not counted, so that one who keeps
    /// knocking is let in again.
    pub async fn hit(&self, key: &str, cost: u32, limit: u32, window: Duration) -> Decision {
        let now = self.0.runtime.now().timestamp_millis();
        if let Some(link) = &self.0.redis {
            // apart, because whoever has no Redis would carry its state through every request
            match Box::pin(link.hit(key, cost, limit, window, now)).await {
                Ok(decision) => {
                    self.well(true);
                    return decision;
                }
                Err(error) => {
                    tracing::debug!(%error, "redis limit failed");
                    self.well(false);
                }
            }
        }
        self.0.memory.hit(key, cost, limit, window, now)
    }

    /// Forgets what was counted for a key in windows of this length.
    pub async fn forget(&self, key: &str, window: Duration) {
        let now = self.0.runtime.now().timestamp_millis();
        self.0.memory.forget(key);
        if let Some(link) = &self.0.redis
            && let Err(error) = link.forget(key, window, now).await
        {
            tracing::debug!(%error, "redis forget failed");
        }
    }

    /// Calls `hearer` with every topic that this or another node publishes; `*` when some may have been missed.
    pub fn on_topic(&self, hearer: Hearer) {
        if let Ok(mut hearers) = self.0.hearers.write() {
            hearers.push(hearer);
        }
    }

    fn hear(&self, topic: &str) {
        if let Ok(hearers) = self.0.hearers.read() {
            for hearer in hearers.iter() {
                hearer(topic);
            }
        }
    }

    /// Tells this node at once, and the others soon.
    pub fn publish(&self, topic: &str) {
        self.hear(topic);
        if self.0.redis.is_some() {
            let (shared, topic) = (self.clone(), topic.to_owned());
            tokio::spawn(async move {
                if let Some(link) = &shared.0.redis
                    && let Err(error) = link.publish(&topic).await
                {
                    tracing::debug!(%error, "redis publish failed");
                }
            });
        }
    }

    /// Whether Redis answers; `None` where there is none to answer.
    pub async fn ping(&self) -> Option<bool> {
        let link = self.0.redis.as_ref()?;
        let well = link.ping().await.is_ok();
        self.well(well);
        Some(well)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.0.redis.is_some() { "Shared(redis)" } else { "Shared(in process)" })
    }
}
