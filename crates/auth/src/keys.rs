//! The keys that sign access tokens: Ed25519, each with an id, the newest signing, those before it still verifying until the last
//! token they signed has expired. Private keys are sealed with the installation's secret.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use kernel::{Caller, Cause, DateTime, Error, Result};
use serde::{Deserialize, Serialize};
use store::query::{Expr, ExprTrait, Order, Query};
use store::{Field as _, Store};
use utoipa::ToSchema;

/// Days after which a new key signs.
const SIGNS_FOR_DAYS: i64 = 90;
/// How long a key verifies after it has stopped signing: longer than any access token lives.
const VERIFIES_ON_HOURS: i64 = 24;
const ALGORITHM: Algorithm = Algorithm::EdDSA;

/// What an access token says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The staff account, or the contact.
    pub sub: uuid::Uuid,
    /// The session.
    pub sid: uuid::Uuid,
    /// Which population it belongs to.
    pub aud: String,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
}

/// The audience of staff accounts.
pub(crate) const STAFF: &str = "staff";
/// The audience of contacts who sign in to the portal.
pub(crate) const PORTAL: &str = "portal";

struct Key {
    public: Vec<u8>,
    verifying: DecodingKey,
    retired_at: Option<DateTime>,
}

#[derive(Default)]
struct Ring {
    keys: HashMap<String, Key>,
    signing: Option<(String, EncodingKey)>,
    loaded_at: Option<DateTime>,
}

/// The keys of an installation.
#[derive(Clone)]
pub struct Keys {
    store: Store,
    ring: Arc<RwLock<Ring>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Keys(…)")
    }
}

/// A public key as a JSON Web Key (RFC 8037).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// The key's id, as it stands in the header of a token.
    pub kid: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub purpose: String,
    /// `EdDSA`.
    pub alg: String,
    /// The public key, base64url.
    pub x: String,
}

/// The keys that verify access tokens (RFC 7517).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl Keys {
    /// Loads the keys, and makes one where there is none or the newest is old.
    ///
    /// # Errors
    /// `internal` when the keys were sealed with another secret: another node's, or a lost one.
    pub async fn open(store: Store) -> Result<Self> {
        let keys = Self { store, ring: Arc::default() };
        let newest = keys.load().await?;
        let old = keys.store.runtime().now() - chrono::Duration::days(SIGNS_FOR_DAYS);
        if newest.is_none_or(|made| made < old) {
            keys.rotate().await?;
        }
        Ok(keys)
    }

    fn caller(&self) -> Arc<Caller> {
        Arc::new(Caller::job(self.store.runtime().uuid(), None, Cause::Command))
    }

    /// Makes a new key that signs from now on; the others go on verifying for a day.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rotate(&self) -> Result<()> {
        let runtime = self.store.runtime();
        let id = runtime.uuid().to_string();
        // RFC 8032, 5.1.5: a private key is 32 random bytes
        let seed: [u8; 32] = runtime.random();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| Error::internal("a key could not be made"))?;
        let pkcs8 = pair.to_pkcs8().map_err(|_| Error::internal("a new key could not be written"))?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let sealed = self.store.secret().seal(runtime, &id, pkcs8.as_ref())?;
        self.store
            .write(&self.caller(), async |uow| {
                let now = uow.now();
                let mut retire = Query::update();
                retire.table("signing_key").value("retired_at", now.value()).and_where(Expr::col("retired_at").is_null());
                uow.execute(&retire).await?;
                let mut insert = Query::insert();
                insert
                    .into_table("signing_key")
                    .columns(["id", "public_key", "private_key_sealed", "created_at"])
                    .values_panic([id.value(), public.value(), sealed.value(), now.value()].map(Expr::value));
                uow.execute(&insert).await?;
                let change = store::Change::plain().event("signing_key.rotated").detail("kid", id.as_str());
                uow.record(store::Action::Create, "signing_key", None, change);
                Ok(())
            })
            .await?;
        self.load().await.map(|_| ())
    }

    /// Reads the keys, and returns when the newest was made.
    async fn load(&self) -> Result<Option<DateTime>> {
        let now = self.store.runtime().now();
        let mut select = Query::select();
        select
            .columns(["id", "public_key", "private_key_sealed", "created_at", "retired_at"])
            .from("signing_key")
            .order_by("created_at", Order::Desc);
        let mut reader = self.store.reader(&self.caller()).await?;
        let rows = reader.rows(&select).await?;
        reader.close().await?;
        let mut ring = Ring { loaded_at: Some(now), ..Ring::default() };
        let mut newest = None;
        for row in rows {
            let (id, public): (String, String) = (row.get(0)?, row.get(1)?);
            let (created_at, retired_at): (DateTime, Option<DateTime>) = (row.get(3)?, row.get(4)?);
            if retired_at.is_some_and(|at| at + chrono::Duration::hours(VERIFIES_ON_HOURS) < now) {
                continue;
            }
            if ring.signing.is_none() && retired_at.is_none() {
                let private = self.store.secret().open(&id, &row.get::<Vec<u8>>(2)?)?;
                ring.signing = Some((id.clone(), EncodingKey::from_ed_der(&private)));
                newest = Some(created_at);
            }
            let verifying = DecodingKey::from_ed_components(&public).map_err(Error::internal)?;
            let public = URL_SAFE_NO_PAD.decode(&public).map_err(Error::internal)?;
            ring.keys.insert(id, Key { public, verifying, retired_at });
        }
        *self.ring.write().unwrap_or_else(std::sync::PoisonError::into_inner) = ring;
        Ok(newest)
    }

    fn ring(&self) -> std::sync::RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Signs an access token.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<String> {
        let ring = self.ring();
        let (id, key) = ring.signing.as_ref().ok_or_else(|| Error::internal("there is no signing key"))?;
        let header = Header { kid: Some(id.clone()), ..Header::new(ALGORITHM) };
        jsonwebtoken::encode(&header, claims, key).map_err(Error::internal)
    }

    /// What a token says, if a key of ours signed it and it has not expired.
    pub(crate) async fn verify(&self, token: &str, now: DateTime) -> Option<Claims> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let kid = header.kid?;
        if !self.ring().keys.contains_key(&kid) && self.worth_loading(now) {
            // another node may have rotated
            self.load().await.ok()?;
        }
        let ring = self.ring();
        let mut validation = Validation::new(ALGORITHM);
        validation.set_audience(&[STAFF, PORTAL]);
        // the time is an input, so it is compared here
        validation.validate_exp = false;
        let claims: Claims = jsonwebtoken::decode(token, &ring.keys.get(&kid)?.verifying, &validation).ok()?.claims;
        (claims.exp > now.timestamp()).then_some(claims)
    }

    /// Whether it is long enough ago that the keys were read; tokens with made-up key ids must not cost a query each.
    fn worth_loading(&self, now: DateTime) -> bool {
        self.ring().loaded_at.is_none_or(|at| now - at > chrono::Duration::seconds(5) || now < at)
    }

    /// The public keys.
    pub fn jwks(&self) -> Jwks {
        let ring = self.ring();
        let mut keys: Vec<(&String, &Key)> = ring.keys.iter().collect();
        keys.sort_by_key(|(id, key)| (key.retired_at.is_some(), std::cmp::Reverse(*id)));
        let keys = keys
            .into_iter()
            .map(|(id, key)| Jwk {
                kty: "OKP".to_owned(),
                crv: "Ed25519".to_owned(),
                kid: id.clone(),
                purpose: "sig".to_owned(),
                alg: "EdDSA".to_owned(),
                x: URL_SAFE_NO_PAD.encode(&key.public),
            })
            .collect();
        Jwks { keys }
    }
}
