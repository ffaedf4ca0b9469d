//! The operations that are served: each is registered once, and from that come its route, its place behind the gate, and its entry in
//! the OpenAPI document.

use actix_web::dev::{Handler, HttpServiceFactory};
use actix_web::http::{Method, Uri};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, Route, guard, web};
use kernel::Error;
use kernel::error::codes;
use store::list::ListSpec;
use utoipa::openapi::path::{HttpMethod, Operation as DocOperation};
use utoipa::openapi::{RefOr, Schema};

use crate::access::{self, Operation};
use crate::deprecation::{Deprecation, OLD_NAMES};
use crate::middleware::gate::{AtPath, counted, gate};
use crate::problem;

/// What makes the route of an operation, once for each worker.
type MakeRoute = Box<dyn Fn() -> Route + Send + Sync>;

/// An operation that is served.
pub struct Served {
    /// Its row of the permission table.
    pub row: &'static Operation,
    /// Its method.
    pub method: Method,
    /// Its path, with `{names}`.
    pub path: String,
    /// What makes its entry in the document, as its handler describes it. Not the entry: for all operations that is megabytes, which
    /// nobody needs once the document is written.
    pub describe: fn() -> DocOperation,
    /// What adds the schemas that its entry names.
    pub schemas: fn(&mut Vec<(String, RefOr<Schema>)>),
    /// The list that it answers with, if with one.
    pub list: Option<&'static ListSpec>,
    /// The record that it answers with, if its query string can choose of it.
    pub record: Option<&'static ListSpec>,
    /// The list of which it answers with all records, if with those of one.
    pub exported: Option<&'static ListSpec>,
    /// Whether what it changes has an ETag.
    pub has_etag: bool,
    /// Whether it answers with the content of a file.
    pub is_content: bool,
    /// Whether it answers with all that is known of a person, in the form that is asked for.
    pub is_personal: bool,
    make: MakeRoute,
}

/// All operations that are served.
#[derive(Default)]
pub struct Registry {
    /// Them.
    pub served: Vec<Served>,
    faults: Vec<String>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Registry({} operations)", self.served.len())
    }
}

impl Registry {
    /// Registers a handler; `P` is what `#[utoipa::path]` made beside it.
    pub fn add<P, F, Args>(&mut self, handler: F) -> Registered<'_>
    where
        P: utoipa::Path + utoipa::__dev::SchemaReferences + for<'t> utoipa::__dev::Tags<'t>,
        F: Handler<Args> + Copy + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let (path, id) = (P::path(), P::operation().operation_id.unwrap_or_default());
        let method = match P::methods().first() {
            Some(HttpMethod::Post) => Method::POST,
            Some(HttpMethod::Patch) => Method::PATCH,
            Some(HttpMethod::Put) => Method::PUT,
            Some(HttpMethod::Delete) => Method::DELETE,
            _ => Method::GET,
        };
        let Some(row) = access::find(&id) else {
            self.faults.push(format!("{id} has no row in the permission table"));
            return Registered(None);
        };
        if self.served.iter().any(|served| served.row.id == id) {
            self.faults.push(format!("{id} is registered twice"));
        }
        let routed = method.clone();
        let make = Box::new(move || route(&routed).to(handler));
        self.served.push(Served {
            row,
            method,
            path,
            describe: describe::<P>,
            schemas: P::schemas,
            list: None,
            record: None,
            exported: None,
            has_etag: true,
            is_content: false,
            is_personal: false,
            make,
        });
        Registered(self.served.last_mut())
    }

    /// Fails unless every operation has its row, and every row its operation.
    ///
    /// # Errors
    /// `internal` with all that is missing.
    pub fn check(&self) -> kernel::Result<()> {
        let unserved = access::OPERATIONS.iter().filter(|row| !self.served.iter().any(|served| served.row.id == row.id));
        let mut faults = self.faults.clone();
        for going in OLD_NAMES {
            if !self.served.iter().any(|served| going.old_path(&served.path).is_some()) {
                faults.push(format!("{} is the old name of nothing that is served", going.old));
            }
        }
        faults.extend(unserved.map(|row| format!("{} is in the permission table and not served", row.id)));
        if faults.is_empty() { Ok(()) } else { Err(Error::internal(faults.join("; "))) }
    }

    /// The paths of all that is served, each with its operations, under the old names too.
    fn placed(&self) -> Vec<Placed<'_>> {
        let mut placed: Vec<Placed<'_>> = Vec::new();
        let names = std::iter::once(None).chain(OLD_NAMES.iter().map(Some));
        for going in names {
            for served in &self.served {
                let path = going.map_or_else(|| Some(served.path.clone()), |going| going.old_path(&served.path));
                let Some(path) = path else { continue };
                match placed.iter_mut().find(|known| known.path == path) {
                    Some(known) => known.served.push(served),
                    None => placed.push(Placed { path, going, served: vec![served] }),
                }
            }
        }
        placed
    }

    /// What finds the path of a request among them.
    ///
    /// # Errors
    /// `internal` where two paths cannot be told apart.
    pub fn paths(&self) -> kernel::Result<Paths> {
        let mut paths = Paths { router: matchit::Router::new(), places: Vec::new() };
        for (number, placed) in self.placed().into_iter().enumerate() {
            paths.router.insert(placed.path, number).map_err(Error::internal)?;
            paths.places.push(place(number).parse().map_err(Error::internal)?);
        }
        Ok(paths)
    }

    /// Mounts all routes, each path behind the gate, at the places to which [`find`](crate::middleware::find) leads.
    pub fn mount(&self, config: &mut web::ServiceConfig) {
        for (number, placed) in self.placed().iter().enumerate() {
            config.service(resource(&place(number), &placed.served, placed.going));
        }
    }
}

/// A path that is served.
struct Placed<'r> {
    path: String,
    /// Where it is the old name of another.
    going: Option<&'static Deprecation>,
    served: Vec<&'r Served>,
}

/// The paths that are served. One for all workers: the framework's own router compiles a pattern for each path in each worker, several
/// megabytes, and tries them one after the other.
pub struct Paths {
    router: matchit::Router<usize>,
    /// Where each is mounted.
    places: Vec<Uri>,
}

impl std::fmt::Debug for Paths {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Paths({})", self.places.len())
    }
}

/// Where a path is mounted. It is no path of a request: [`Paths::find`] sees to that.
fn place(number: usize) -> String {
    format!("/~{number}")
}

/// The ids in the path of a request, by their names.
#[derive(Clone, Debug, Default)]
pub struct PathIds(Vec<(String, String)>);

impl PathIds {
    /// One of them.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Paths {
    /// Where the path of a request is mounted, with the ids in it. What is no path of ours is left to others, but for what looks like such
    /// a place, which is nowhere.
    pub fn find(&self, path: &str) -> Option<(Uri, PathIds)> {
        match self.router.at(path) {
            Ok(found) => {
                let ids = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                Some((self.places.get(*found.value)?.clone(), PathIds(ids)))
            }
            Err(_) if path.starts_with("/~") => Some((Uri::from_static("/~"), PathIds::default())),
            Err(_) => None,
        }
    }
}

fn describe<P: utoipa::Path + for<'t> utoipa::__dev::Tags<'t>>() -> DocOperation {
    let mut doc = P::operation();
    doc.tags = Some(P::tags().into_iter().map(str::to_owned).collect());
    doc
}

fn resource(path: &str, served: &[&Served], going: Option<&'static Deprecation>) -> impl HttpServiceFactory + 'static {
    let at = AtPath { operations: served.iter().map(|served| (served.method.clone(), served.row)).collect(), going };
    let allowed = allowed(served.iter().map(|served| &served.method));
    let resource = served.iter().fold(web::resource(path), |resource, served| resource.route((served.make)()));
    resource
        .default_service(web::to(move |request: HttpRequest| {
            let refusal = method_not_allowed(&request, &allowed);
            async move { counted(&request, refusal).await }
        }))
        .app_data(web::Data::new(at))
        .wrap(actix_web::middleware::from_fn(gate))
}

/// An operation that was just registered.
pub struct Registered<'a>(Option<&'a mut Served>);

impl Registered<'_> {
    /// It answers with a list.
    pub fn list(self, spec: &'static ListSpec) {
        if let Some(served) = self.0 {
            served.list = Some(spec);
        }
    }

    /// It answers with a record of which the query string can choose.
    pub fn record(self, spec: &'static ListSpec) {
        if let Some(served) = self.0 {
            served.record = Some(spec);
        }
    }

    /// It answers with all records of a list.
    pub fn export(self, spec: &'static ListSpec) {
        if let Some(served) = self.0 {
            served.exported = Some(spec);
        }
    }

    /// It answers with the content of a file.
    pub fn content(self) {
        if let Some(served) = self.0 {
            served.is_content = true;
        }
    }

    /// It answers with all that is known of a person, in the form that is asked for.
    pub fn personal(self) {
        if let Some(served) = self.0 {
            served.is_personal = true;
        }
    }

    /// What it takes away has no ETag, so that `If-Match` says nothing there.
    pub fn without_etag(self) {
        if let Some(served) = self.0 {
            served.has_etag = false;
        }
    }
}

/// A route for a method. What can be got can also be asked for its head alone (RFC 9110, 9.3.2): the server leaves the body out.
fn route(method: &Method) -> Route {
    match *method {
        Method::GET => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
        _ => web::method(method.clone()),
    }
}

/// The methods of a path, as `Allow` names them.
fn allowed<'a>(methods: impl Iterator<Item = &'a Method>) -> String {
    let mut names = Vec::new();
    for method in methods {
        names.push(method.as_str());
        if *method == Method::GET {
            names.push("HEAD");
        }
    }
    names.join(", ")
}

fn method_not_allowed(request: &HttpRequest, allowed: &str) -> HttpResponse {
    let error = Error::new(&codes::METHOD_NOT_ALLOWED).with_detail(format!("There is {allowed}."));
    let mut response = problem::respond(&error, request);
    if let Ok(value) = actix_web::http::header::HeaderValue::from_str(allowed) {
        response.headers_mut().insert(actix_web::http::header::ALLOW, value);
    }
    response
}
