import { z } from 'zod';
import { json, type RouteDescription, WITH_BODY } from './route-description.ts';
import {
  keyCreatedSchema,
  keyCreateSchema,
  keyListSchema,
  keyRevokeSchema,
  keySchema,
  sessionSchema,
  signInSchema,
} from './schemas/access-schema.ts';

/** Keys, and the sign-in of the admin page. */
export const ACCESS_ROUTES: readonly RouteDescription[] = [
  {
    method: 'get',
    path: '/keys',
    access: 'admin',
    tag: 'Admin',
    summary: 'Every API key, without its secret',
    answers: { 200: json('The keys, oldest first.', keyListSchema) },
    codes: [],
  },
  {
    method: 'post',
    path: '/keys',
    access: 'admin',
    tag: 'Admin',
    summary: 'Make an API key',
    body: keyCreateSchema,
    answers: { 201: json('The key; its text is shown this once.', keyCreatedSchema) },
    codes: [...WITH_BODY, 'storage_unavailable'],
  },
  {
    method: 'post',
    path: '/keys/{id}/revoke',
    access: 'admin',
    tag: 'Admin',
    summary: 'End an API key for good, everywhere within a second',
    params: z.object({ id: z.string().describe('The middle part of `pgw_<id>_<secret>`.') }),
    body: keyRevokeSchema,
    answers: { 200: json('The key as it stands now.', keySchema) },
    codes: [...WITH_BODY, 'key_not_found', 'storage_unavailable'],
  },
  {
    method: 'get',
    path: '/admin/session',
    access: 'public',
    tag: 'Admin',
    summary: 'Who is signed in on the admin page',
    answers: { 200: json('The session.', sessionSchema) },
    codes: [],
  },
  {
    method: 'post',
    path: '/admin/sign-in',
    access: 'public',
    tag: 'Admin',
    summary: 'Sign in on the admin page with a key or a one-time link',
    body: signInSchema,
    answers: { 200: json('Signed in: the cookie is set.', sessionSchema) },
    codes: [...WITH_BODY, 'unauthorized', 'rate_limited', 'storage_unavailable'],
  },
  {
    method: 'post',
    path: '/admin/sign-out',
    access: 'public',
    tag: 'Admin',
    summary: 'Sign out of the admin page',
    answers: { 200: json('Signed out.', sessionSchema) },
    codes: [],
  },
];
