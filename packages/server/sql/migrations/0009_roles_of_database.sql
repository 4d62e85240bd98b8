-- The names of the roles of this database. Roles belong to the whole server: if two databases used the same roles, the login
-- of one service could act in the other database. `tally migrate` replaces the names of the roles in every migration with
-- those of the database (store/database-roles.ts). The embedded store has a server of its own and keeps the plain names.
create table tally_roles (
  writer    text not null,
  reader    text not null,
  retention text not null
);
insert into tally_roles values ('tally_writer', 'tally_reader', 'tally_retention');
-- The service reads the names on each new connection, before it sets a role.
grant select on tally_roles to public;
