//! A session with a token, logged in, with its key at hand (PKCS #11 v2.40 §5.6, §5.7).

use std::fmt;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{SessionState, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use std::sync::Arc;

use super::error::TokenError;
use super::key::ReadPin;
use super::library::Library;
use crate::service::settings::{KeyName, Pkcs11Settings};
use crate::service::signer::sha256;

/// Where a key lies, and how to get at it.
pub(super) struct Place {
    pub(super) library: Arc<Library>,
    pub(super) settings: Pkcs11Settings,
    pub(super) pin: ReadPin,
}

/// A session that can sign.
#[derive(Debug)]
pub(super) struct Session {
    own: cryptoki::session::Session,
    key: ObjectHandle,
    generation: u64,
}

impl Place {
    /// Opens a session; where the token seems gone, the library is initialised anew and asked once more.
    pub(super) fn open(&self) -> Result<Session, TokenError> {
        let (seen, opened) = self.try_open();
        match opened {
            Err(lost) if lost.may_pass() && self.library.renew(seen) => self.try_open().1,
            opened => opened,
        }
    }

    fn try_open(&self) -> (u64, Result<Session, TokenError>) {
        let context = self.library.context();
        let generation = context.generation;
        let opened = self.opened(&context.module);
        (generation, opened.map(|(own, key)| Session { own, key, generation }))
    }

    fn opened(&self, module: &Pkcs11) -> Result<(cryptoki::session::Session, ObjectHandle), TokenError> {
        let (slot, token) = self.token(module)?;
        // Closed by hand: after the library was initialised anew, its number may be another session's.
        let session = module.open_ro_session_no_drop(slot)?;
        let key = self.log_in(&session, &token).and_then(|()| self.key(&session));
        match key {
            Ok(key) => Ok((session, key)),
            Err(reason) => {
                let _ = session.close();
                Err(reason)
            }
        }
    }

    fn token(&self, module: &Pkcs11) -> Result<(Slot, TokenInfo), TokenError> {
        let mut tokens = Vec::new();
        for slot in module.get_slots_with_token()? {
            // A token that was pulled out since is none of those that are there; nor is a blank one.
            if let Ok(token) = module.get_token_info(slot)
                && !token.label().is_empty()
            {
                tokens.push((slot, token));
            }
        }
        let is_wanted = |token: &TokenInfo| {
            let serial = self.settings.serial.as_deref();
            token.label() == self.settings.token && serial.is_none_or(|serial| token.serial_number() == serial)
        };
        let mut wanted: Vec<_> = tokens.iter().filter(|(_, token)| is_wanted(token)).cloned().collect();
        let name = || format!("{:?}", self.settings.token);
        match (wanted.pop(), wanted.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                let serials = wanted.iter().chain([&last]).map(|(_, token)| token.serial_number().to_owned());
                Err(TokenError::SeveralTokens { wanted: name(), serials: serials.collect() })
            }
            (None, _) => {
                let labels = tokens.iter().map(|(_, token)| format!("{:?}", token.label()));
                Err(TokenError::NoToken { wanted: name(), present: labels.take(MAX_LISTED).collect() })
            }
        }
    }

    fn log_in(&self, session: &cryptoki::session::Session, token: &TokenInfo) -> Result<(), TokenError> {
        // Whoever holds this logs in; all sessions of a token are logged in together.
        let mut refused = self.library.refused();
        let state = session.get_session_info()?.session_state();
        if !token.login_required() || matches!(state, SessionState::RoUser | SessionState::RwUser) {
            return Ok(());
        }
        if token.user_pin_locked() {
            return Err(TokenError::PinLocked);
        }
        let pin = (self.pin)().map_err(|reason| TokenError::PinUnreadable { reason })?;
        if pin.is_none() && !token.protected_authentication_path() {
            return Err(TokenError::PinNeeded);
        }
        let hash = sha256(pin.as_deref().unwrap_or_default().as_bytes());
        let name = format!("{} {}", token.label(), token.serial_number());
        if refused.get(&name) == Some(&hash) {
            return Err(TokenError::PinRefused { code: "before".to_owned() });
        }
        let pin = pin.map(AuthPin::from);
        match session.login(UserType::User, pin.as_ref()) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                refused.remove(&name);
                Ok(())
            }
            Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(TokenError::PinLocked),
            Err(Error::Pkcs11(code, _)) if is_about_the_pin(code) => {
                refused.insert(name, hash);
                Err(TokenError::PinRefused { code: format!("{code:?}") })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn key(&self, session: &cryptoki::session::Session) -> Result<ObjectHandle, TokenError> {
        let name = match &self.settings.key {
            KeyName::Id(id) => Attribute::Id(id.clone()),
            KeyName::Label(label) => Attribute::Label(label.clone().into_bytes()),
        };
        let [class, kind] = private_ec_keys();
        let wanted = || self.settings.key.to_string();
        let found = session.find_objects(&[class, kind, name])?;
        match found.as_slice() {
            [key] => check_key(session, *key, wanted).map(|()| *key),
            [] => Err(TokenError::NoKey { wanted: wanted(), present: keys(session) }),
            several => Err(TokenError::SeveralKeys { wanted: wanted(), count: several.len() }),
        }
    }
}

impl Session {
    /// ECDSA over a digest, `r || s` (CKM_ECDSA). None where the session has ended with its library's last time.
    pub(super) fn sign(&self, place: &Place, digest: &[u8; 32]) -> Option<Result<Vec<u8>, TokenError>> {
        let context = place.library.context();
        if context.generation != self.generation {
            return None;
        }
        Some(self.own.sign(&Mechanism::Ecdsa, self.key, digest).map_err(TokenError::from))
    }

    /// Ends it, unless it ended with its library's last time.
    pub(super) fn close(self, place: &Place) {
        let context = place.library.context();
        if context.generation == self.generation {
            // A session that was lost cannot be closed.
            let _ = self.own.close();
        }
    }
}

const fn private_ec_keys() -> [Attribute; 2] {
    [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::KeyType(KeyType::EC)]
}

/// What some tokens do not tell about a key is no reason to refuse it: whether it signs is seen when it does.
fn check_key(
    session: &cryptoki::session::Session,
    key: ObjectHandle,
    wanted: impl Fn() -> String,
) -> Result<(), TokenError> {
    let told = session.get_attributes(key, &[AttributeType::EcParams, AttributeType::AlwaysAuthenticate]);
    for attribute in told.unwrap_or_default() {
        match attribute {
            Attribute::EcParams(curve) if curve != P256 => return Err(TokenError::NotP256 { wanted: wanted() }),
            Attribute::AlwaysAuthenticate(true) => return Err(TokenError::PinEachTime { wanted: wanted() }),
            _ => {}
        }
    }
    Ok(())
}

/// The labels of the keys that a token has.
fn keys(session: &cryptoki::session::Session) -> Vec<String> {
    let found = session.find_objects(&private_ec_keys()).unwrap_or_default();
    let label = |key: &ObjectHandle| match session.get_attributes(*key, &[AttributeType::Label]).ok()?.pop()? {
        Attribute::Label(label) => Some(format!("{:?}", String::from_utf8_lossy(&label))),
        _ => None,
    };
    found.iter().filter_map(label).take(MAX_LISTED).collect()
}

const fn is_about_the_pin(code: RvError) -> bool {
    matches!(code, RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange | RvError::PinExpired)
}

/// The object identifier of P-256 in DER (RFC 5480 §2.1.1.1).
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// So many names are told of what is there instead.
const MAX_LISTED: usize = 10;

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => {
                f.write_str("of id ")?;
                id.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
            Self::Label(label) => write!(f, "{label:?}"),
        }
    }
}

impl fmt::Debug for Place {
    /// Without the PIN.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({:?}, {:?}, {})", self.settings.module, self.settings.token, self.settings.key)
    }
}
